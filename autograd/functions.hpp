#pragma once

#include <autograd/dual.hpp>

/// Functions for pointwise lambdas that are made of others, and so need no derivative rule of their
/// own.
namespace unroll {

template <PointwiseNumber X>
auto square(const X& x) {
  return x * x;
}
template <PointwiseNumber X>
X relu(const X& x) {
  return where(x <= 0.0, 0.0, x);  // a NaN stays one
}
template <PointwiseNumber X, PointwiseNumber Y>
auto maximum(const X& a, const Y& b) {
  return where(a > b || a != a, a, b);  // a NaN on either side wins
}
template <PointwiseNumber X>
X maximum(const X& a, double b) {
  return where(a <= b, b, a);
}
template <PointwiseNumber X>
X minimum(const X& a, double b) {
  return where(a >= b, b, a);
}
template <PointwiseNumber X, PointwiseNumber Y>
auto minimum(const X& a, const Y& b) {
  return where(a < b || a != a, a, b);
}

template <PointwiseNumber X>
X reciprocal(const X& x) {
  return 1.0 / x;
}
template <PointwiseNumber X>
X rsqrt(const X& x) {
  return 1.0 / sqrt(x);
}
/// A NaN stays one.
template <PointwiseNumber X>
X clamp(const X& x, double low, double high) {
  return where(x < low, low, where(x > high, high, x));
}
/// a + w (b - a), exact at both ends.
template <PointwiseNumber A, PointwiseNumber B, PointwiseNumber W>
auto lerp(const A& a, const B& b, const W& w) {
  const auto d = b - a;
  return where(w < 0.5, a + w * d, b - (1.0 - w) * d);
}
template <PointwiseNumber X>
X log_sigmoid(const X& x) {
  return -softplus(-x);
}
template <PointwiseNumber X>
X softsign(const X& x) {
  return x / (1.0 + abs(x));
}
template <PointwiseNumber X>
X leaky_relu(const X& x, double slope = 0.01) {
  return where(x > 0.0, x, slope * x);
}
template <PointwiseNumber X, PointwiseNumber W>
auto prelu(const X& x, const W& slope) {
  return where(x > 0.0, x, slope * x);
}
template <PointwiseNumber X>
X elu(const X& x, double alpha = 1.0) {
  return where(x > 0.0, x, alpha * expm1(x));
}
template <PointwiseNumber X>
X celu(const X& x, double alpha = 1.0) {
  return where(x > 0.0, x, alpha * expm1(x / alpha));
}
template <PointwiseNumber X>
X selu(const X& x) {
  return 1.0507009873554804934 * elu(x, 1.6732632423543772848);
}
template <PointwiseNumber X>
X gelu(const X& x) {
  return x * normal_cdf(x);
}
template <PointwiseNumber X>
X gelu_tanh(const X& x) {
  // 0.5 (1 + tanh z) is sigmoid(2 z), which keeps the digits of its small end. Beyond the bounds it
  // is 0 or 1, and the powers of x would overflow.
  const X z = clamp(x, -100.0, 100.0);
  return x * sigmoid(1.59576912160573071176 * (z + 0.044715 * z * z * z));
}
template <PointwiseNumber X>
X silu(const X& x) {
  return x * sigmoid(x);
}
template <PointwiseNumber X>
X mish(const X& x) {
  return x * tanh(softplus(x));
}
template <PointwiseNumber X>
X hard_sigmoid(const X& x) {
  return where(x <= -3.0, 0.0, where(x >= 3.0, 1.0, x / 6.0 + 0.5));
}
template <PointwiseNumber X>
X hard_tanh(const X& x, double low = -1.0, double high = 1.0) {
  return where(x <= low, low, where(x >= high, high, x));
}

}  // namespace unroll
