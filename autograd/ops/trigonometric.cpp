#include <autograd/ops/pointwise_op.hpp>
#include <autograd/ops/trigonometric.hpp>

namespace unroll {

UNROLL_ELEMENTWISE(tan)
UNROLL_ELEMENTWISE(asin)
UNROLL_ELEMENTWISE(acos)
UNROLL_ELEMENTWISE(atan)
UNROLL_ELEMENTWISE(sinh)
UNROLL_ELEMENTWISE(cosh)
UNROLL_ELEMENTWISE(asinh)
UNROLL_ELEMENTWISE(acosh)
UNROLL_ELEMENTWISE(atanh)

Variable atan2(const Variable& y, const Variable& x) {
  return detail::elementwise(
      "atan2", [](auto a, auto b) { return atan2(a, b); }, y, x);
}
Variable hypot(const Variable& a, const Variable& b) {
  return detail::elementwise(
      "hypot", [](auto x, auto y) { return hypot(x, y); }, a, b);
}

}  // namespace unroll
