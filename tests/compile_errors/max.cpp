// cannot call max: write maximum(a, b)
#include <autograd/autograd.hpp>

unroll::Variable refused(const unroll::Variable& x, const unroll::Variable& y) {
  using namespace unroll;
  return pointwise([](auto a, auto b) { return max(a, b); }, x, y);
}
