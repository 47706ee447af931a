#pragma once

#include <array>
#include <cmath>
#include <cstddef>
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
/// register, or one double. The value of every function a lambda may call stands here; its
/// derivative in dual.hpp.
namespace unroll {

/// The vector of element type T that lambdas run on.
#if defined(__AVX512F__) && !defined(__OPTIMIZE__)
// Without optimisation xsimd 8.1 does not compile its AVX-512 logarithm.
template <class T>
using Vector = xsimd::batch<T, xsimd::fma3<xsimd::avx2>>;
#else
template <class T>
using Vector = xsimd::batch<T>;
#endif

/// The outcome of a comparison, one truth value a lane.
template <class M>
struct Mask {
  M m;
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

  static constexpr std::ptrdiff_t width() {
    if constexpr (is_vector)
      return static_cast<std::ptrdiff_t>(V::size);
    else
      return 1;
  }

  template <class T>
  static Lanes load(const T* from) {
    if constexpr (is_vector)
      return Lanes(V::load_unaligned(from));
    else
      return Lanes(static_cast<double>(*from));
  }
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
#define UNROLL_LANES_FUNCTION(name)   \
  template <class V>                  \
  Lanes<V> name(Lanes<V> x) {         \
    using std::name;                  \
    using xsimd::name;                \
    return Lanes<V>::wrap(name(x.v)); \
  }
UNROLL_LANES_FUNCTION(abs)
UNROLL_LANES_FUNCTION(floor)
UNROLL_LANES_FUNCTION(sqrt)
UNROLL_LANES_FUNCTION(exp)
UNROLL_LANES_FUNCTION(expm1)
UNROLL_LANES_FUNCTION(log)
UNROLL_LANES_FUNCTION(log1p)
UNROLL_LANES_FUNCTION(sin)
UNROLL_LANES_FUNCTION(cos)
UNROLL_LANES_FUNCTION(tanh)
UNROLL_LANES_FUNCTION(ceil)
UNROLL_LANES_FUNCTION(cbrt)
UNROLL_LANES_FUNCTION(exp2)
UNROLL_LANES_FUNCTION(log2)
UNROLL_LANES_FUNCTION(log10)
UNROLL_LANES_FUNCTION(tan)
UNROLL_LANES_FUNCTION(asin)
UNROLL_LANES_FUNCTION(acos)
UNROLL_LANES_FUNCTION(atan)
UNROLL_LANES_FUNCTION(sinh)
UNROLL_LANES_FUNCTION(cosh)
UNROLL_LANES_FUNCTION(asinh)
UNROLL_LANES_FUNCTION(acosh)
UNROLL_LANES_FUNCTION(atanh)
#undef UNROLL_LANES_FUNCTION

namespace detail {

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

template <class V>
Lanes<V> pow(Lanes<V> x, Lanes<V> y) {
  using std::pow;
  using xsimd::pow;
  // xsimd's is 0 at 0 to the power of 0.
  return where(y == 0.0, Lanes<V>(1.0), Lanes<V>::wrap(pow(x.v, y.v)));
}

template <class V>
Lanes<V> pow(Lanes<V> x, double exponent) {
  if (exponent == 0.0) return 1.0;  // xsimd's is 0 at 0
  if (exponent == 1.0) return x;
  if (exponent == 2.0) return x * x;
  return pow(x, Lanes<V>(exponent));
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

}  // namespace unroll
