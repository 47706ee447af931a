#include <autograd/kernels/compare.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/tensor/error.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

namespace unroll {
namespace {

template <class F>
Tensor compared(const char* operation, const Variable& a, const Variable& b, F test) {
  detail::check_defined(operation, {"a", a});
  detail::check_defined(operation, {"b", b});
  if (a.dtype() != b.dtype())
    throw DtypeError(std::string(operation) + ": both inputs must have one dtype, got " +
                     describe(a.value()) + " and " + describe(b.value()) + "; convert with to()");
  const Shape shape = broadcast(operation, a.shape(), b.shape());
  Tensor result = Tensor::empty(shape, a.dtype());
  kernels::compare(a.value().broadcast_to(shape), b.value().broadcast_to(shape), result, test);
  return result;
}

template <class F>
Tensor tested(const char* operation, const Variable& x, F test) {
  return compared(operation, x, x, [test](auto number, auto) { return test(number); });
}

/// Tests `number` against `bound` exactly: neither must 0.5 become 0 because x holds integers, nor
/// 2^53 + 1 become 2^53 because the bound is a double. (A long double has 64 bits of mantissa.)
template <class T, class F>
bool with_bound(T number, double bound, F test) {
  static_assert(std::numeric_limits<long double>::digits >= 63);
  using Exact = std::conditional_t<std::is_integral_v<T>, long double, double>;
  return test(static_cast<Exact>(number), static_cast<Exact>(bound));
}

}  // namespace

#define UNROLL_COMPARISON(name, op)                                      \
  Tensor name(const Variable& a, const Variable& b) {                    \
    return compared(#name, a, b, [](auto x, auto y) { return x op y; }); \
  }                                                                      \
  Tensor name(const Variable& a, double b) {                             \
    return tested(#name, a, [b](auto x) {                                \
      return with_bound(x, b, [](auto p, auto q) { return p op q; });    \
    });                                                                  \
  }
UNROLL_COMPARISON(eq, ==)
UNROLL_COMPARISON(ne, !=)
UNROLL_COMPARISON(lt, <)
UNROLL_COMPARISON(le, <=)
UNROLL_COMPARISON(gt, >)
UNROLL_COMPARISON(ge, >=)
#undef UNROLL_COMPARISON

Tensor mask_and(const Variable& a, const Variable& b) {
  return compared("mask_and", a, b, [](auto x, auto y) { return x != 0 && y != 0; });
}
Tensor mask_or(const Variable& a, const Variable& b) {
  return compared("mask_or", a, b, [](auto x, auto y) { return x != 0 || y != 0; });
}
Tensor mask_xor(const Variable& a, const Variable& b) {
  return compared("mask_xor", a, b, [](auto x, auto y) { return (x != 0) != (y != 0); });
}
Tensor mask_not(const Variable& x) {
  return tested("mask_not", x, [](auto a) { return a == 0; });
}

Tensor is_nan(const Variable& x) {
  return tested("is_nan", x, [](auto a) { return std::isnan(static_cast<double>(a)); });
}
Tensor is_inf(const Variable& x) {
  return tested("is_inf", x, [](auto a) { return std::isinf(static_cast<double>(a)); });
}
Tensor is_finite(const Variable& x) {
  return tested("is_finite", x, [](auto a) { return std::isfinite(static_cast<double>(a)); });
}

}  // namespace unroll
