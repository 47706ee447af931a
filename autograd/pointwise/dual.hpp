#pragma once

#include <autograd/kernels/lanes.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

/// Forward-mode numbers that carry a pointwise lambda's partial derivatives through it. Which
/// partials can be other than zero is part of the type, so the compiler sees no work for the
/// others. The derivative rules of elementary functions stand here, once: every elementwise
/// operation and every user's lambda goes through them, and nested they give the higher orders.
namespace unroll::lambda {

/// A value of type S and its partial derivatives with respect to those of N inputs that are set in
/// Which.
template <class S, int N, std::uint32_t Which>
struct Dual {
  static constexpr int count = std::popcount(Which);
  /// True when the partial derivative by this input can be other than zero.
  static constexpr bool depends(int input) { return (Which >> input & 1U) != 0; }
  /// Where the partial of an input stands in `d`.
  static constexpr std::size_t place(int input) {
    return static_cast<std::size_t>(std::popcount(Which & ((1U << input) - 1U)));
  }

  S v;
  std::array<S, static_cast<std::size_t>(count)> d;

  Dual() = default;
  explicit Dual(const S& value) requires(count == 0) : v(value) {}
  Dual(const S& value, const S& partial) requires(count == 1) : v(value), d{partial} {}
  /// A constant: every partial is zero. Implicit, for 1 - x.
  Dual(double constant) : v(constant) { d.fill(S(0.0)); }
  /// The same number with more partials, zero.
  template <std::uint32_t Fewer>
  requires(Fewer != Which && (Fewer & Which) == Fewer) Dual(const Dual<S, N, Fewer>& x) : v(x.v) {
    for_each_input([&]<int I>() {
      if constexpr (Dual<S, N, Fewer>::depends(I))
        d[place(I)] = x.d[Dual<S, N, Fewer>::place(I)];
      else
        d[place(I)] = S(0.0);
    });
  }

  /// Calls `f.operator()<I>()` for every input I on which the value depends.
  template <class F>
  static constexpr void for_each_input(F&& f) {
    [&]<int... I>(std::integer_sequence<int, I...>) {
      (
          [&] {
            if constexpr (depends(I)) f.template operator()<I>();
          }(),
          ...);
    }
    (std::make_integer_sequence<int, N>{});
  }

  friend Dual operator-(const Dual& a) { return chain(a, -a.v, S(-1.0)); }
  friend Dual operator+(const Dual& a, double c) { return shifted(a, a.v + c); }
  friend Dual operator+(double c, const Dual& a) { return shifted(a, c + a.v); }
  friend Dual operator-(const Dual& a, double c) { return shifted(a, a.v - c); }
  friend Dual operator-(double c, const Dual& a) { return chain(a, c - a.v, S(-1.0)); }
  friend Dual operator*(const Dual& a, double c) { return chain(a, a.v * c, S(c)); }
  friend Dual operator*(double c, const Dual& a) { return chain(a, c * a.v, S(c)); }
  friend Dual operator/(const Dual& a, double c) { return chain(a, a.v / c, S(1.0 / c)); }
  friend Dual operator/(double c, const Dual& a) {
    const S y = c / a.v;
    return chain(a, y, -y / a.v);
  }

 private:
  static Dual shifted(const Dual& a, const S& value) {
    Dual result = a;
    result.v = value;
    return result;
  }
};

namespace detail {

template <class X>
inline constexpr bool is_dual_v = false;
template <class S, int N, std::uint32_t Which>
inline constexpr bool is_dual_v<Dual<S, N, Which>> = true;

template <class X>
inline constexpr bool is_lanes_v = false;
template <class V>
inline constexpr bool is_lanes_v<Lanes<V>> = true;

template <class S, int N, std::uint32_t Which>
const S& value_of(const Dual<S, N, Which>& x) {
  return x.v;
}
inline double value_of(double x) { return x; }

/// A partial derivative of an argument times the derivative by that argument. Nested duals, which
/// run on plain doubles, also carry partials that are 0: those stay 0 where a derivative is
/// infinite.
template <class S>
S scaled(const S& partial, const S& derivative) {
  if constexpr (is_lanes_v<S>) {
    if constexpr (S::is_vector) return partial * derivative;
  }
  return weighted(partial, derivative);
}

/// A function of two duals: its value, and what each partial of `a` and of `b` contributes.
template <class S, int N, std::uint32_t P, std::uint32_t Q, class FromA, class FromB>
auto merge(const S& value, const Dual<S, N, P>& a, FromA from_a, const Dual<S, N, Q>& b,
           FromB from_b) {
  using A = Dual<S, N, P>;
  using B = Dual<S, N, Q>;
  using Result = Dual<S, N, (P | Q)>;
  Result result;
  result.v = value;
  Result::for_each_input([&]<int I>() {
    S& partial = result.d[Result::place(I)];
    if constexpr (A::depends(I) && B::depends(I))
      partial = from_a(a.d[A::place(I)]) + from_b(b.d[B::place(I)]);
    else if constexpr (A::depends(I))
      partial = from_a(a.d[A::place(I)]);
    else
      partial = from_b(b.d[B::place(I)]);
  });
  return result;
}

}  // namespace detail

template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto weighted(const Dual<S, N, P>& w, const Dual<S, N, Q>& x) {
  return detail::merge(
      weighted(w.v, x.v), w, [&](const S& d) { return weighted(d, x.v); }, x,
      [&](const S& d) { return weighted(w.v, d); });
}

/// The chain rule: a function of x with this value and this derivative.
template <class S, int N, std::uint32_t Which>
Dual<S, N, Which> chain(const Dual<S, N, Which>& x, const S& value, const S& derivative) {
  Dual<S, N, Which> result;
  result.v = value;
  for (std::size_t i = 0; i < result.d.size(); ++i)
    result.d[i] = detail::scaled(x.d[i], derivative);
  return result;
}

template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto operator+(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  const auto same = [](const S& d) { return d; };
  return detail::merge(a.v + b.v, a, same, b, same);
}
template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto operator-(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  return detail::merge(
      a.v - b.v, a, [](const S& d) { return d; }, b, [](const S& d) { return -d; });
}
template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto operator*(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  return detail::merge(
      a.v * b.v, a, [&](const S& d) { return detail::scaled(d, b.v); }, b,
      [&](const S& d) { return detail::scaled(d, a.v); });
}
template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto operator/(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  const S inverse = 1.0 / b.v;
  const S quotient = a.v * inverse;
  const S slope = -quotient * inverse;
  return detail::merge(
      quotient, a, [&](const S& d) { return detail::scaled(d, inverse); }, b,
      [&](const S& d) { return detail::scaled(d, slope); });
}

template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto pow(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  const S y = pow(a.v, b.v);
  // At a = 0 the rule y log a would make 0 * -inf out of a derivative that is 0, or -inf.
  const S log_a = log(where(a.v == 0.0, S(1.0), a.v));
  const S by_b_at_zero = where(b.v < 0.0, S(-HUGE_VAL), S(0.0));
  // At a = b = 0 the power would be infinite, and 0 times it not the 0 that the derivative is.
  const S base = where(b.v == 0.0, where(a.v == 0.0, S(1.0), a.v), a.v);
  const S by_a = b.v * pow(base, b.v - 1.0);
  const S by_b = where(a.v == 0.0, by_b_at_zero, y * log_a);
  return detail::merge(
      y, a, [&](const S& d) { return detail::scaled(d, by_a); }, b,
      [&](const S& d) { return detail::scaled(d, by_b); });
}
template <class S, int N, std::uint32_t P, class I>
requires std::is_integral_v<I>
auto pow(const Dual<S, N, P>& a, I exponent) { return pow(a, static_cast<double>(exponent)); }
template <class S, int N, std::uint32_t P>
auto pow(double base, const Dual<S, N, P>& b) {
  const S y = pow(S(base), b.v);
  if (base == 0.0) return chain(b, y, where(b.v < 0.0, S(-HUGE_VAL), S(0.0)));
  return chain(b, y, y * S(std::log(base)));
}
template <class S, int N, std::uint32_t P>
auto pow(const Dual<S, N, P>& a, double exponent) {
  // At a = 0 the general rule would make 0 * infinity out of the derivative of a constant.
  if (exponent == 0.0) return chain(a, S(1.0), S(0.0));
  return chain(a, pow(a.v, exponent), exponent * pow(a.v, exponent - 1.0));
}

// Not by the chain rule through abs: where a derivative is infinite at 0, that would make a NaN of
// it and of the slope of abs.
template <class S, int N, std::uint32_t P>
Dual<S, N, P> signed_power(const Dual<S, N, P>& x, double exponent);
template <class S, int N, std::uint32_t P>
Dual<S, N, P> absolute_power(const Dual<S, N, P>& x, double exponent) {
  if (exponent == 0.0) return chain(x, S(1.0), S(0.0));
  return chain(x, absolute_power(x.v, exponent), exponent * signed_power(x.v, exponent - 1.0));
}
template <class S, int N, std::uint32_t P>
Dual<S, N, P> signed_power(const Dual<S, N, P>& x, double exponent) {
  if (exponent == 0.0) return chain(x, sign(x.v), S(0.0));
  return chain(x, signed_power(x.v, exponent), exponent * absolute_power(x.v, exponent - 1.0));
}

template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto atan2(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  const S inverse = 1.0 / hypot(a.v, b.v);  // twice, as its square may overflow
  const S by_a = b.v * inverse * inverse;
  const S by_b = -a.v * inverse * inverse;
  return detail::merge(
      atan2(a.v, b.v), a, [&](const S& d) { return detail::scaled(d, by_a); }, b,
      [&](const S& d) { return detail::scaled(d, by_b); });
}
template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto hypot(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  const S y = hypot(a.v, b.v);
  const S inverse = where(y == 0.0, S(0.0), 1.0 / y);
  const S by_a = a.v * inverse;
  const S by_b = b.v * inverse;
  return detail::merge(
      y, a, [&](const S& d) { return detail::scaled(d, by_a); }, b,
      [&](const S& d) { return detail::scaled(d, by_b); });
}
template <class S, int N, std::uint32_t P, std::uint32_t Q>
auto fmod(const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  const S y = fmod(a.v, b.v);
  const S whole = round((a.v - y) / b.v);
  return detail::merge(
      y, a, [](const S& d) { return d; }, b, [&](const S& d) { return -whole * d; });
}

// Comparisons look at the values; `where` chooses value and partials together.
#define UNROLL_DUAL_COMPARISON(op)                                                      \
  template <class A, class B>                                                           \
  requires(detail::is_dual_v<A> || detail::is_dual_v<B>) auto operator op(const A& a,   \
                                                                          const B& b) { \
    return detail::value_of(a) op detail::value_of(b);                                  \
  }
UNROLL_DUAL_COMPARISON(<)
UNROLL_DUAL_COMPARISON(<=)
UNROLL_DUAL_COMPARISON(>)
UNROLL_DUAL_COMPARISON(>=)
UNROLL_DUAL_COMPARISON(==)
UNROLL_DUAL_COMPARISON(!=)
#undef UNROLL_DUAL_COMPARISON

template <class M, class S, int N, std::uint32_t P, std::uint32_t Q>
auto where(Mask<M> mask, const Dual<S, N, P>& a, const Dual<S, N, Q>& b) {
  using Result = Dual<S, N, (P | Q)>;
  const Result x(a);
  const Result y(b);
  Result result;
  result.v = where(mask, x.v, y.v);
  for (std::size_t i = 0; i < result.d.size(); ++i) result.d[i] = where(mask, x.d[i], y.d[i]);
  return result;
}
template <class M, class X>
X where(Mask<M> mask, const X& a, double b) {
  return where(mask, a, X(b));
}
template <class M, class X>
X where(Mask<M> mask, double a, const X& b) {
  return where(mask, X(a), b);
}

/// A number inside a pointwise lambda.
template <class X>
concept PointwiseNumber = detail::is_dual_v<X> || detail::is_lanes_v<X>;

/// The derivative of lgamma: five terms of the asymptotic series at x + 10, less the steps to
/// there, and the reflection for negative x. To 1e-14 of the larger of 1 and the result, in double.
template <PointwiseNumber X>
X digamma(const X& x) {
  const X positive = where(x > 0.0, x, 1.0 - x);
  const X shifted = positive + 10.0;
  const X inverse = 1.0 / shifted;
  const X s = inverse * inverse;
  X steps = 1.0 / positive;
  for (int k = 1; k < 10; ++k) steps = steps + 1.0 / (positive + static_cast<double>(k));
  const X series =
      s *
      (1.0 / 12 -
       s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132 - s * (691.0 / 32760))))));
  const X y = log(shifted) - 0.5 * inverse - series - steps;
  constexpr double kPi = 3.14159265358979323846;
  return where(x > 0.0, y, y - kPi / tan(kPi * (x - floor(x))));
}

// Derivative rules: value first, then d value / dx, in terms of x and y = f(x).
#define UNROLL_DUAL_RULE(name, derivative)                    \
  template <class S, int N, std::uint32_t Which>              \
  Dual<S, N, Which> name(const Dual<S, N, Which>& argument) { \
    const S& x = argument.v;                                  \
    const S y = name(x);                                      \
    static_cast<void>(x);                                     \
    return chain(argument, y, S(derivative));                 \
  }
UNROLL_DUAL_RULE(abs, sign(x))
UNROLL_DUAL_RULE(floor, 0.0)
UNROLL_DUAL_RULE(sign, 0.0)
UNROLL_DUAL_RULE(sqrt, 0.5 / y)
UNROLL_DUAL_RULE(exp, y)
UNROLL_DUAL_RULE(expm1, y + 1.0)
UNROLL_DUAL_RULE(log, 1.0 / x)
UNROLL_DUAL_RULE(log1p, 1.0 / (1.0 + x))
UNROLL_DUAL_RULE(sin, cos(x))
UNROLL_DUAL_RULE(cos, -sin(x))
UNROLL_DUAL_RULE(tanh, 1.0 - y * y)
UNROLL_DUAL_RULE(sigmoid, y*(1.0 - y))
UNROLL_DUAL_RULE(softplus, sigmoid(x))
UNROLL_DUAL_RULE(ceil, 0.0)
UNROLL_DUAL_RULE(round, 0.0)
UNROLL_DUAL_RULE(cbrt, 1.0 / (3.0 * y * y))
UNROLL_DUAL_RULE(exp2, 0.693147180559945309417 * y)
UNROLL_DUAL_RULE(log2, 1.44269504088896340736 / x)
UNROLL_DUAL_RULE(log10, 0.434294481903251827651 / x)
UNROLL_DUAL_RULE(tan, 1.0 + y * y)
UNROLL_DUAL_RULE(asin, 1.0 / sqrt((1.0 - x) * (1.0 + x)))
UNROLL_DUAL_RULE(acos, -1.0 / sqrt((1.0 - x) * (1.0 + x)))
UNROLL_DUAL_RULE(atan, 1.0 / (1.0 + x * x))
UNROLL_DUAL_RULE(sinh, cosh(x))
UNROLL_DUAL_RULE(cosh, sinh(x))
UNROLL_DUAL_RULE(asinh, 1.0 / sqrt(1.0 + x * x))
UNROLL_DUAL_RULE(acosh, 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)))
UNROLL_DUAL_RULE(atanh, 1.0 / ((1.0 - x) * (1.0 + x)))
UNROLL_DUAL_RULE(erf, 1.12837916709551257390 * exp(-x * x))
UNROLL_DUAL_RULE(erfc, -1.12837916709551257390 * exp(-x * x))
UNROLL_DUAL_RULE(normal_cdf, 0.398942280401432677940 * exp(-0.5 * x * x))
UNROLL_DUAL_RULE(lgamma, digamma(x))
#undef UNROLL_DUAL_RULE

}  // namespace unroll::lambda
