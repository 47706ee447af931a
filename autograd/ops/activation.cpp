#include <autograd/ops/activation.hpp>
#include <autograd/ops/pointwise_op.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {

UNROLL_ELEMENTWISE(log_sigmoid)
UNROLL_ELEMENTWISE(softsign)
UNROLL_ELEMENTWISE(selu)
UNROLL_ELEMENTWISE(silu)
UNROLL_ELEMENTWISE(mish)
UNROLL_ELEMENTWISE(hard_sigmoid)

Variable leaky_relu(const Variable& x, double slope) {
  return detail::elementwise(
      "leaky_relu", [slope](auto a) { return leaky_relu(a, slope); }, x);
}

Variable prelu(const Variable& x, const Variable& slope) {
  return detail::elementwise(
      "prelu", [](auto a, auto w) { return prelu(a, w); }, x, slope);
}

Variable elu(const Variable& x, double alpha) {
  return detail::elementwise(
      "elu", [alpha](auto a) { return elu(a, alpha); }, x);
}

Variable celu(const Variable& x, double alpha) {
  if (alpha == 0.0) throw ArgumentError("celu: alpha must not be 0");
  return detail::elementwise(
      "celu", [alpha](auto a) { return celu(a, alpha); }, x);
}

Variable gelu(const Variable& x, Gelu form) {
  if (form == Gelu::tanh)
    return detail::elementwise(
        "gelu", [](auto a) { return gelu_tanh(a); }, x);
  return detail::elementwise(
      "gelu", [](auto a) { return gelu(a); }, x);
}

Variable hard_tanh(const Variable& x, double low, double high) {
  if (!(low < high))
    throw ArgumentError("hard_tanh: low must be less than high, got " + std::to_string(low) +
                        " and " + std::to_string(high));
  return detail::elementwise(
      "hard_tanh", [low, high](auto a) { return hard_tanh(a, low, high); }, x);
}

}  // namespace unroll
