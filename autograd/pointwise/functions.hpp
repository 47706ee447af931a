#pragma once

#include <autograd/pointwise/dual.hpp>

#include <cmath>
#include <cstdint>
#include <tuple>
#include <type_traits>

/// Functions for pointwise lambdas that are made of others, and so need no derivative rule of their
/// own.
namespace unroll::lambda {

namespace detail {

/// `c` as a constant beside x: a dual that depends on no input.
template <class V>
Lanes<V> constant_beside(const Lanes<V>&, double c) {
  return c;
}
template <class S, int N, std::uint32_t P>
auto constant_beside(const Dual<S, N, P>&, double c) {
  return Dual<S, N, 0>(S(c));
}

template <class X, class Y>
X& become(X& x, const Y& y) {
  static_assert(
      std::is_convertible_v<Y, X>,
      "a number of a pointwise lambda cannot come to depend on more of the inputs than it "
      "did when it was declared: name the result anew, auto next = sum + x, or start with "
      "a number that depends on all of them");
  if constexpr (std::is_convertible_v<Y, X>) x = X(y);
  return x;
}

template <class Y>
concept PointwiseOperand = PointwiseNumber<Y> || std::is_arithmetic_v<Y>;

}  // namespace detail

template <PointwiseNumber X, detail::PointwiseOperand Y>
X& operator+=(X& x, const Y& y) {
  return detail::become(x, x + y);
}
template <PointwiseNumber X, detail::PointwiseOperand Y>
X& operator-=(X& x, const Y& y) {
  return detail::become(x, x - y);
}
template <PointwiseNumber X, detail::PointwiseOperand Y>
X& operator*=(X& x, const Y& y) {
  return detail::become(x, x * y);
}
template <PointwiseNumber X, detail::PointwiseOperand Y>
X& operator/=(X& x, const Y& y) {
  return detail::become(x, x / y);
}

/// Refused: a double can hold neither several elements nor their derivatives.
template <PointwiseNumber X>
double& operator+=(double& sum, const X&) {
  static_assert(detail::never_v<X>,
                "a double cannot take up a number of a pointwise lambda: start with 0.0 * x");
  return sum;
}

/// Refused: of two constants the type does not say what they should become.
template <class M>
double where(Mask<M>, double, double) {
  static_assert(detail::never_v<M>,
                "where(condition, a, b) needs a number of the pointwise lambda for a or b: write "
                "where(condition, 1.0, 0.0 * x)");
  return 0.0;
}

#define UNROLL_WITH_CONSTANT(name)                 \
  template <PointwiseNumber X>                     \
  X name(const X& x, double y) {                   \
    return name(x, detail::constant_beside(x, y)); \
  }                                                \
  template <PointwiseNumber Y>                     \
  Y name(double x, const Y& y) {                   \
    return name(detail::constant_beside(y, x), y); \
  }
UNROLL_WITH_CONSTANT(fmod)
UNROLL_WITH_CONSTANT(atan2)
UNROLL_WITH_CONSTANT(hypot)
#undef UNROLL_WITH_CONSTANT

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
template <PointwiseNumber X>
auto isnan(const X& x) {
  return x != x;
}
template <PointwiseNumber X>
auto isinf(const X& x) {
  return abs(x) == HUGE_VAL;
}
template <PointwiseNumber X>
auto isfinite(const X& x) {
  return abs(x) < HUGE_VAL;
}
/// Towards zero.
template <PointwiseNumber X>
X trunc(const X& x) {
  return where(x < 0.0, ceil(x), floor(x));
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

// What <cmath> and <algorithm> have beyond this: the error says what to write instead.
#define UNROLL_NOT_OFFERED(name, instead)                                \
  template <class... X>                                                  \
  requires(PointwiseNumber<X> || ...) auto name(const X&... x) {         \
    static_assert(detail::never_v<std::tuple<X...>>,                     \
                  "a pointwise lambda cannot call " #name ": " instead); \
    return (x + ...);                                                    \
  }
UNROLL_NOT_OFFERED(max, "write maximum(a, b)")
UNROLL_NOT_OFFERED(min, "write minimum(a, b)")
UNROLL_NOT_OFFERED(fmax, "write maximum(a, b)")
UNROLL_NOT_OFFERED(fmin, "write minimum(a, b)")
UNROLL_NOT_OFFERED(fabs, "write abs(x)")
UNROLL_NOT_OFFERED(fdim, "write where(a > b, a - b, 0.0)")
UNROLL_NOT_OFFERED(fma, "write a * b + c")
UNROLL_NOT_OFFERED(copysign, "write where(b < 0.0, -abs(a), abs(a))")
UNROLL_NOT_OFFERED(remainder, "write a - b * round(a / b)")
UNROLL_NOT_OFFERED(tgamma, "write exp(lgamma(x)) for x > 0.0")
#undef UNROLL_NOT_OFFERED

}  // namespace unroll::lambda
