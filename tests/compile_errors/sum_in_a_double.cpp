// a double cannot take up a number of a pointwise lambda: start with 0.0 * x
#include <autograd/autograd.hpp>

unroll::Variable refused(const unroll::Variable& x, const unroll::Variable& y) {
  using namespace unroll;
  return pointwise(
      [](auto a, auto b) {
        double sum = 0.0;
        sum += a * b;
        return sum;
      },
      x, y);
}
