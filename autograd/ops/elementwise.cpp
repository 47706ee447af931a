#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/pointwise_op.hpp>
#include <autograd/tape/record.hpp>

namespace unroll {
namespace {

using detail::elementwise;

template <class F>
Tensor value_only(const char* name, const F& f, const Variable& a, const Variable& b) {
  Tensor result;
  detail::run_pointwise(name, std::array{&a.value(), &b.value()}, {&result, 1}, 1,
                        detail::pointwise_kernels<F, 2, 1, 0>(), &f);
  return result;
}

}  // namespace

// Sums pass the gradient on unchanged, so they need no kernel for it.
Variable operator+(const Variable& a, const Variable& b) {
  Tensor y = value_only(
      "add", [](auto x, auto z) { return x + z; }, a, b);
  if (!recording("add", a, b)) return y;
  Variable result =
      record("add", std::move(y),
             [a = a.without_value(), b = b.without_value()](const Variable& g, BackwardPass& pass) {
               pass.add(a, g);
               pass.add(b, g);
             });
  extension::TapeAccess::pass_gradient(extension::TapeAccess::recorder("add"), result, a);
  return result;
}

Variable operator-(const Variable& a, const Variable& b) {
  Tensor y = value_only(
      "sub", [](auto x, auto z) { return x - z; }, a, b);
  if (!recording("sub", a, b)) return y;
  return record(
      "sub", std::move(y),
      [a = a.without_value(), b = b.without_value()](const Variable& g, BackwardPass& pass) {
        pass.add(a, g);
        if (pass.wants(b)) pass.add(b, -g);
      });
}

Variable operator*(const Variable& a, const Variable& b) {
  return elementwise(
      "mul", [](auto x, auto y) { return x * y; }, a, b);
}
Variable operator/(const Variable& a, const Variable& b) {
  return elementwise(
      "div", [](auto x, auto y) { return x / y; }, a, b);
}
Variable operator-(const Variable& x) {
  return elementwise(
      "neg", [](auto a) { return -a; }, x);
}
Variable operator+(const Variable& x, double c) {
  return elementwise(
      "add", [c](auto a) { return a + c; }, x);
}
Variable operator+(double c, const Variable& x) { return x + c; }
Variable operator-(const Variable& x, double c) { return x + -c; }
Variable operator-(double c, const Variable& x) {
  return elementwise(
      "sub", [c](auto a) { return c - a; }, x);
}
Variable operator*(const Variable& x, double c) {
  return elementwise(
      "mul", [c](auto a) { return a * c; }, x);
}
Variable operator*(double c, const Variable& x) { return x * c; }
Variable operator/(const Variable& x, double c) {
  return elementwise(
      "div", [c](auto a) { return a / c; }, x);
}
Variable operator/(double c, const Variable& x) {
  return elementwise(
      "div", [c](auto a) { return c / a; }, x);
}

UNROLL_ELEMENTWISE(abs)
UNROLL_ELEMENTWISE(square)
UNROLL_ELEMENTWISE(sqrt)
UNROLL_ELEMENTWISE(exp)
UNROLL_ELEMENTWISE(expm1)
UNROLL_ELEMENTWISE(log)
UNROLL_ELEMENTWISE(log1p)
UNROLL_ELEMENTWISE(sin)
UNROLL_ELEMENTWISE(cos)
UNROLL_ELEMENTWISE(tanh)
UNROLL_ELEMENTWISE(sigmoid)
UNROLL_ELEMENTWISE(softplus)
UNROLL_ELEMENTWISE(relu)

Variable pow(const Variable& x, double exponent) {
  return elementwise(
      "pow", [exponent](auto a) { return pow(a, exponent); }, x);
}
Variable pow(const Variable& x, const Variable& exponent) {
  return elementwise(
      "pow", [](auto a, auto b) { return pow(a, b); }, x, exponent);
}
Variable pow(double base, const Variable& exponent) {
  return elementwise(
      "pow", [base](auto b) { return pow(base, b); }, exponent);
}
Variable maximum(const Variable& a, const Variable& b) {
  return elementwise(
      "maximum", [](auto x, auto y) { return maximum(x, y); }, a, b);
}
Variable minimum(const Variable& a, const Variable& b) {
  return elementwise(
      "minimum", [](auto x, auto y) { return minimum(x, y); }, a, b);
}

}  // namespace unroll
