#pragma once

#include <autograd/pointwise/functions.hpp>

#include <utility>

/// Complex numbers for pointwise lambdas.
namespace unroll::lambda {

/// A complex number whose parts are numbers of a lambda, or constants.
///
///     auto [real, imag] = pointwise([](auto nu, auto theta) {
///       return exp(Complex{-exp(nu), exp(theta)}).parts();
///     }, nu_log, theta_log);
///
/// Offers + - * /, also with a real number, `exp expm1 conj abs abs2`; what a lambda returns is
/// parts().
template <detail::PointwiseOperand Real, detail::PointwiseOperand Imag>
struct Complex {
  Real real;
  Imag imag;

  /// What a lambda can return.
  std::pair<Real, Imag> parts() const { return {real, imag}; }
};
template <class Real, class Imag>
Complex(Real, Imag) -> Complex<Real, Imag>;

template <class R, class I>
auto operator-(const Complex<R, I>& z) {
  return Complex{-z.real, -z.imag};
}
template <class R, class I>
auto conj(const Complex<R, I>& z) {
  return Complex{z.real, -z.imag};
}

template <class R, class I, class S, class J>
auto operator+(const Complex<R, I>& x, const Complex<S, J>& y) {
  return Complex{x.real + y.real, x.imag + y.imag};
}
template <class R, class I, class S, class J>
auto operator-(const Complex<R, I>& x, const Complex<S, J>& y) {
  return Complex{x.real - y.real, x.imag - y.imag};
}
template <class R, class I, class S, class J>
auto operator*(const Complex<R, I>& x, const Complex<S, J>& y) {
  return Complex{x.real * y.real - x.imag * y.imag, x.real * y.imag + x.imag * y.real};
}

template <class R, class I, detail::PointwiseOperand X>
auto operator+(const Complex<R, I>& z, const X& x) {
  return Complex{z.real + x, z.imag};
}
template <class R, class I, detail::PointwiseOperand X>
auto operator+(const X& x, const Complex<R, I>& z) {
  return Complex{x + z.real, z.imag};
}
template <class R, class I, detail::PointwiseOperand X>
auto operator-(const Complex<R, I>& z, const X& x) {
  return Complex{z.real - x, z.imag};
}
template <class R, class I, detail::PointwiseOperand X>
auto operator-(const X& x, const Complex<R, I>& z) {
  return Complex{x - z.real, -z.imag};
}
template <class R, class I, detail::PointwiseOperand X>
auto operator*(const Complex<R, I>& z, const X& x) {
  return Complex{z.real * x, z.imag * x};
}
template <class R, class I, detail::PointwiseOperand X>
auto operator*(const X& x, const Complex<R, I>& z) {
  return Complex{x * z.real, x * z.imag};
}

/// |z|^2
template <class R, class I>
auto abs2(const Complex<R, I>& z) {
  return z.real * z.real + z.imag * z.imag;
}
/// |z|, with the derivative 0 at 0.
template <class R, class I>
auto abs(const Complex<R, I>& z) {
  return hypot(z.real, z.imag);
}

template <class R, class I, detail::PointwiseOperand X>
auto operator/(const Complex<R, I>& z, const X& x) {
  return Complex{z.real / x, z.imag / x};
}
/// Without scaling: |y|^2 must neither overflow nor vanish.
template <class R, class I, class S, class J>
auto operator/(const Complex<R, I>& x, const Complex<S, J>& y) {
  return x * conj(y) / abs2(y);
}
template <class S, class J, detail::PointwiseOperand X>
auto operator/(const X& x, const Complex<S, J>& y) {
  return x * conj(y) / abs2(y);
}

template <class R, class I>
auto exp(const Complex<R, I>& z) {
  const auto size = exp(z.real);
  return Complex{size * cos(z.imag), size * sin(z.imag)};
}
/// e^z - 1, with all digits also near 0.
template <class R, class I>
auto expm1(const Complex<R, I>& z) {
  const auto half = sin(0.5 * z.imag);
  return Complex{expm1(z.real) * cos(z.imag) - 2.0 * half * half, exp(z.real) * sin(z.imag)};
}

}  // namespace unroll::lambda

namespace unroll {
using lambda::Complex;
}  // namespace unroll
