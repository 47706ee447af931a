// cannot come to depend on more of the inputs
#include <autograd/autograd.hpp>

unroll::Variable refused(const unroll::Variable& x, const unroll::Variable& y) {
  using namespace unroll;
  return pointwise(
      [](auto a, auto b) {
        auto sum = a;
        sum += b;
        return sum;
      },
      x, y);
}
