#pragma once

#include <autograd/kernels/instruction_set.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>

// g++ 12's AVX-512 intrinsics read a variable "uninitialized" on purpose and warn wherever they are
// inlined (GCC bug 105593); a user's build should not drown in that.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <xsimd/xsimd.hpp>
#pragma GCC diagnostic pop
#else
#include <xsimd/xsimd.hpp>
#endif

/// The innermost number type of a pointwise lambda: several neighbouring elements in a vector
/// register, or one double. Defines the value of each function that a lambda may call; dual.hpp
/// defines its derivative. Calls find these functions through their arguments.
namespace unroll::lambda {

/// The vector of element type T that lambdas run on.
#if defined(__AVX512F__) && !defined(__OPTIMIZE__)
// Without optimisation xsimd 8.1 does not compile its AVX-512 logarithm.
template <class T>
using Vector = xsimd::batch<T, xsimd::fma3<xsimd::avx2>>;
#else
template <class T>
using Vector = xsimd::batch<T>;
#endif

namespace detail {
template <class X>
inline constexpr bool never_v = false;  // for static_assert in a template that nothing may use
}

/// The outcome of a comparison, one truth value a lane.
template <class M>
struct Mask {
  M m;
  /// Refused: a register holds several elements, and the condition is true for some of them.
  explicit operator bool() const {
    static_assert(detail::never_v<M>,
                  "a pointwise lambda cannot branch on its numbers with if, ?: or std::max: choose "
                  "with where(condition, a, b)");
    return false;
  }
  friend Mask operator&&(Mask a, Mask b) { return {static_cast<M>(a.m && b.m)}; }
  friend Mask operator||(Mask a, Mask b) { return {static_cast<M>(a.m || b.m)}; }
  friend Mask operator!(Mask a) { return {static_cast<M>(!a.m)}; }
};
template <class M>
Mask(M) -> Mask<M>;

/// V is Vector<float>, Vector<double> or double.
template <class V>
struct Lanes {
  static constexpr bool is_vector = !std::is_arithmetic_v<V>;
  V v;

  Lanes() = default;
  explicit Lanes(V value) requires is_vector : v(value) {}
  Lanes(double constant) : v(from(constant)) {}

  /// How many elements the register holds.
  static constexpr std::ptrdiff_t width() {
    if constexpr (is_vector)
      return static_cast<std::ptrdiff_t>(V::size);
    else
      return 1;
  }

  /// Reads width() elements; they need no alignment.
  template <class T>
  static Lanes load(const T* from) {
    if constexpr (is_vector)
      return Lanes(V::load_unaligned(from));
    else
      return Lanes(static_cast<double>(*from));
  }
  /// Writes width() elements.
  template <class T>
  void store(T* to) const {
    if constexpr (is_vector)
      v.store_unaligned(to);
    else
      *to = static_cast<T>(v);
  }

  friend Lanes operator+(Lanes a, Lanes b) { return wrap(a.v + b.v); }
  friend Lanes operator-(Lanes a, Lanes b) { return wrap(a.v - b.v); }
  friend Lanes operator*(Lanes a, Lanes b) { return wrap(a.v * b.v); }
  friend Lanes operator/(Lanes a, Lanes b) { return wrap(a.v / b.v); }
  friend Lanes operator-(Lanes a) { return wrap(-a.v); }
  friend auto operator<(Lanes a, Lanes b) { return Mask{a.v < b.v}; }
  friend auto operator<=(Lanes a, Lanes b) { return Mask{a.v <= b.v}; }
  friend auto operator>(Lanes a, Lanes b) { return Mask{a.v > b.v}; }
  friend auto operator>=(Lanes a, Lanes b) { return Mask{a.v >= b.v}; }
  friend auto operator==(Lanes a, Lanes b) { return Mask{a.v == b.v}; }
  // xsimd's own != is false for NaN on AVX-512.
  friend auto operator!=(Lanes a, Lanes b) { return !(a == b); }

  /// The lanes of a register, or of a double.
  static Lanes wrap(V value) {
    Lanes lanes;
    lanes.v = value;
    return lanes;
  }

 private:
  static V from(double constant) {
    if constexpr (is_vector)
      return V(static_cast<typename V::value_type>(constant));
    else
      return constant;
  }
};

/// `a` where the mask is true, otherwise `b`; the lambda's replacement for `? :`. The side that is
/// not chosen is dropped with its derivative, so a NaN in it does no harm. One of the two must be a
/// number of the lambda.
template <class M, class V>
Lanes<V> where(Mask<M> mask, Lanes<V> a, Lanes<V> b) {
  if constexpr (Lanes<V>::is_vector)
    return Lanes<V>(xsimd::select(mask.m, a.v, b.v));
  else
    return mask.m ? a : b;
}

// Elementary functions: the standard library's for a double, xsimd's for a vector.
#define UNROLL_LANES_FUNCTION_AS(name, function) \
  template <class V>                             \
  Lanes<V> function(Lanes<V> x) {                \
    using std::name;                             \
    using xsimd::name;                           \
    return Lanes<V>::wrap(name(x.v));            \
  }
#define UNROLL_LANES_FUNCTION(name) UNROLL_LANES_FUNCTION_AS(name, name)
UNROLL_LANES_FUNCTION(abs)
UNROLL_LANES_FUNCTION(floor)
UNROLL_LANES_FUNCTION(sqrt)
UNROLL_LANES_FUNCTION(exp)
UNROLL_LANES_FUNCTION(expm1)
UNROLL_LANES_FUNCTION(log1p)
UNROLL_LANES_FUNCTION(sin)
UNROLL_LANES_FUNCTION(cos)
UNROLL_LANES_FUNCTION(tanh)
UNROLL_LANES_FUNCTION(ceil)
UNROLL_LANES_FUNCTION(exp2)
UNROLL_LANES_FUNCTION(tan)
UNROLL_LANES_FUNCTION(asin)
UNROLL_LANES_FUNCTION(acos)
UNROLL_LANES_FUNCTION(atan)
UNROLL_LANES_FUNCTION(sinh)
UNROLL_LANES_FUNCTION(cosh)
UNROLL_LANES_FUNCTION(asinh)
UNROLL_LANES_FUNCTION(atanh)
#undef UNROLL_LANES_FUNCTION

namespace detail {

UNROLL_LANES_FUNCTION_AS(log, log_of_normal)
UNROLL_LANES_FUNCTION_AS(log2, log2_of_normal)
UNROLL_LANES_FUNCTION_AS(log10, log10_of_normal)
UNROLL_LANES_FUNCTION_AS(cbrt, cbrt_of_normal)
UNROLL_LANES_FUNCTION_AS(acosh, acosh_of_domain)
#undef UNROLL_LANES_FUNCTION_AS

/// f(x) of a function for which xsimd takes the exponent of x from its bits, which in double it
/// gets wrong for denormal numbers: those go in as x 2^54, and `correct` makes up for that.
template <class V, class F, class Correct>
Lanes<V> with_denormals(Lanes<V> x, F f, Correct correct) {
  if constexpr (!std::is_same_v<V, Vector<double>>) {
    return f(x);
  } else {
    const auto denormal = abs(x) < std::numeric_limits<double>::min();
    const Lanes<V> y = f(where(denormal, x * 0x1p54, x));
    return where(denormal, correct(y), y);
  }
}

/// f of each lane, in double: for functions that xsimd lacks or has too few digits of.
template <class V, class F, class... More>
Lanes<V> each_lane(F f, Lanes<V> x, More... more) {
  if constexpr (Lanes<V>::is_vector) {
    using T = typename V::value_type;
    using Numbers = std::array<T, V::size>;
    const auto numbers = [](Lanes<V> lanes) {
      Numbers values;
      lanes.store(values.data());
      return values;
    };
    Numbers result;
    [&](const auto&... in) {
      for (std::size_t i = 0; i < V::size; ++i)
        result[i] = static_cast<T>(f(static_cast<double>(in[i])...));
    }(numbers(x), numbers(more)...);
    return Lanes<V>::load(result.data());
  } else {
    return f(x.v, more.v...);
  }
}

}  // namespace detail

template <class V>
Lanes<V> log(Lanes<V> x) {
  return detail::with_denormals(
      x, [](auto a) { return detail::log_of_normal(a); },
      [](auto y) { return y - 37.42994775023704; });
}
template <class V>
Lanes<V> log2(Lanes<V> x) {
  return detail::with_denormals(
      x, [](auto a) { return detail::log2_of_normal(a); }, [](auto y) { return y - 54.0; });
}
template <class V>
Lanes<V> log10(Lanes<V> x) {
  return detail::with_denormals(
      x, [](auto a) { return detail::log10_of_normal(a); },
      [](auto y) { return y - 16.25561976585498; });
}
template <class V>
Lanes<V> cbrt(Lanes<V> x) {
  return detail::with_denormals(
      x, [](auto a) { return detail::cbrt_of_normal(a); }, [](auto y) { return y * 0x1p-18; });
}
/// NaN below 1, where xsimd has infinities.
template <class V>
Lanes<V> acosh(Lanes<V> x) {
  return where(x < 1.0, std::numeric_limits<double>::quiet_NaN(), detail::acosh_of_domain(x));
}

/// To the nearest whole number, halves to the even one as in NumPy.
template <class V>
Lanes<V> round(Lanes<V> x) {
  using std::nearbyint;
  using xsimd::nearbyint;
  return Lanes<V>::wrap(nearbyint(x.v));
}

// xsimd's erfc is off by 4e-12 in double at 2.2 and its lgamma useless near its zeros in float; erf
// stands with its complement.
template <class V>
Lanes<V> erf(Lanes<V> x) {
  return detail::each_lane([](double a) { return std::erf(a); }, x);
}
template <class V>
Lanes<V> erfc(Lanes<V> x) {
  return detail::each_lane([](double a) { return std::erfc(a); }, x);
}
/// The normal distribution function. In double also for float: rounding x / sqrt 2 would cost
/// digits of the small end.
template <class V>
Lanes<V> normal_cdf(Lanes<V> x) {
  return detail::each_lane([](double a) { return 0.5 * std::erfc(a * -0.70710678118654752440); },
                           x);
}
template <class V>
Lanes<V> lgamma(Lanes<V> x) {
  return detail::each_lane(
      [](double a) {
        int sign = 0;  // std::lgamma leaves it in a variable that threads share
        return ::lgamma_r(a, &sign);
      },
      x);
}

// Exact for any quotient, and signed zeros and infinities as C has them.
template <class V>
Lanes<V> fmod(Lanes<V> x, Lanes<V> y) {
  return detail::each_lane([](double a, double b) { return std::fmod(a, b); }, x, y);
}
template <class V>
Lanes<V> atan2(Lanes<V> y, Lanes<V> x) {
  return detail::each_lane([](double a, double b) { return std::atan2(a, b); }, y, x);
}
/// Without overflow of the squares.
template <class V>
Lanes<V> hypot(Lanes<V> x, Lanes<V> y) {
  return detail::each_lane([](double a, double b) { return std::hypot(a, b); }, x, y);
}

/// As C has it. xsimd's is e^(y log x), of fewer digits the further the result is from 1.
template <class V>
Lanes<V> pow(Lanes<V> x, Lanes<V> y) {
  return detail::each_lane([](double a, double b) { return std::pow(a, b); }, x, y);
}

template <class V>
Lanes<V> pow(Lanes<V> x, double exponent) {
  if (exponent == 0.0) return 1.0;
  if (exponent == 1.0) return x;
  if (exponent == 2.0) return x * x;
  if (exponent == 3.0) return x * x * x;
  if (exponent == -1.0) return 1.0 / x;
  return detail::each_lane([exponent](double a) { return std::pow(a, exponent); }, x);
}
template <class V, class I>
requires std::is_integral_v<I> Lanes<V> pow(Lanes<V> x, I exponent) {
  return pow(x, Lanes<V>(static_cast<double>(exponent)));
}
template <class V>
Lanes<V> pow(double base, Lanes<V> x) {
  return pow(Lanes<V>(base), x);
}

/// -1, 0 or 1.
template <class V>
Lanes<V> sign(Lanes<V> x) {
  return where(x > 0.0, Lanes<V>(1.0), where(x < 0.0, Lanes<V>(-1.0), Lanes<V>(0.0)));
}

/// |x|^p
template <class V>
Lanes<V> absolute_power(Lanes<V> x, double exponent) {
  return pow(abs(x), exponent);
}
/// sign(x) |x|^p
template <class V>
Lanes<V> signed_power(Lanes<V> x, double exponent) {
  return sign(x) * pow(abs(x), exponent);
}

/// w x, where a weight of 0 takes away also what is infinite or NaN. The derivative by w is x.
template <class V>
Lanes<V> weighted(Lanes<V> w, Lanes<V> x) {
  return w * where(w == 0.0, Lanes<V>(0.0), x);
}

/// 1 / (1 + e^-x). Large |x| saturates: e^-x overflows to infinity and the quotient to 0.
template <class V>
Lanes<V> sigmoid(Lanes<V> x) {
  return 1.0 / (1.0 + exp(-x));
}

/// log(1 + e^x), without overflow.
template <class V>
Lanes<V> softplus(Lanes<V> x) {
  return where(x > 0.0, x, Lanes<V>(0.0)) + log1p(exp(-abs(x)));
}

}  // namespace unroll::lambda
