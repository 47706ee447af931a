#pragma once

#include <xsimd/xsimd.hpp>

#include <cmath>
#include <type_traits>

/// The innermost number type of a pointwise lambda: several neighbouring elements in a vector
/// register, or one double. The value of every function a lambda may call stands here; its
/// derivative in dual.hpp.
namespace unroll {

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

/// V is xsimd::batch<float>, xsimd::batch<double> or double.
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
  friend auto operator!=(Lanes a, Lanes b) { return Mask{a.v != b.v}; }

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

/// `a` where the mask is true, otherwise `b`; the lambda's replacement for `? :`.
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
#undef UNROLL_LANES_FUNCTION

template <class V>
Lanes<V> pow(Lanes<V> x, Lanes<V> y) {
  using std::pow;
  using xsimd::pow;
  return Lanes<V>::wrap(pow(x.v, y.v));
}

template <class V>
Lanes<V> pow(Lanes<V> x, double exponent) {
  return pow(x, Lanes<V>(exponent));
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
