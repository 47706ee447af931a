// cannot call copysign: write where(b < 0.0, -abs(a), abs(a))
#include <autograd/autograd.hpp>

unroll::Variable refused(const unroll::Variable& x, const unroll::Variable& y) {
  using namespace unroll;
  return pointwise([](auto a, auto b) { return copysign(a, b); }, x, y);
}
