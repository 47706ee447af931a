#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/pointwise_op.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {

UNROLL_ELEMENTWISE(floor)
UNROLL_ELEMENTWISE(ceil)
UNROLL_ELEMENTWISE(round)
UNROLL_ELEMENTWISE(sign)

Variable clamp(const Variable& x, double low, double high) {
  if (!(low <= high))
    throw ArgumentError("clamp: low must not exceed high, got " + std::to_string(low) + " and " +
                        std::to_string(high));
  return detail::elementwise(
      "clamp", [low, high](auto a) { return clamp(a, low, high); }, x);
}

Variable fmod(const Variable& a, const Variable& b) {
  return detail::elementwise(
      "fmod", [](auto x, auto y) { return fmod(x, y); }, a, b);
}

Variable lerp(const Variable& a, const Variable& b, const Variable& weight) {
  return detail::elementwise(
      "lerp", [](auto x, auto y, auto w) { return lerp(x, y, w); }, a, b, weight);
}
Variable lerp(const Variable& a, const Variable& b, double weight) {
  return lerp(a, b, full({}, weight, a.dtype()));
}

Variable where(const Tensor& condition, const Variable& a, const Variable& b) {
  detail::check_defined("where", {"the condition", condition});
  // Tested before it is rounded to another dtype, where something tiny would become 0.
  const Tensor chosen = ne(condition, 0.0).to(a.dtype());
  return detail::elementwise(
      "where", [](auto c, auto x, auto y) { return where(c != 0.0, x, y); }, chosen, a, b);
}

Variable where(const Tensor& condition, const Variable& a, double b) {
  detail::check_floating("where", {"a", a});
  return where(condition, a, full({}, b, a.dtype()));
}

Variable where(const Tensor& condition, double a, const Variable& b) {
  detail::check_floating("where", {"b", b});
  return where(condition, full({}, a, b.dtype()), b);
}

}  // namespace unroll
