#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/pointwise/complex.hpp>

#include <complex>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Number = std::complex<double>;

/// One operation on two complex numbers, as a lambda of four parts and by the standard library.
struct Case {
  std::string name;
  std::function<std::array<Variable, 2>(std::span<const Variable>)> f;
  std::function<Number(Number, Number)> expected;
};

template <class F>
Case make_case(const char* name, F f, std::function<Number(Number, Number)> expected) {
  return {name,
          [f](std::span<const Variable> x) {
            return pointwise(
                [f](auto a, auto b, auto c, auto d) {
                  return f(Complex{a, b}, Complex{c, d}).parts();
                },
                x[0], x[1], x[2], x[3]);
          },
          std::move(expected)};
}

std::vector<Case> cases() {
  return {
      make_case(
          "+", [](auto x, auto y) { return x + y; }, [](Number x, Number y) { return x + y; }),
      make_case(
          "-", [](auto x, auto y) { return -x - y; }, [](Number x, Number y) { return -x - y; }),
      make_case(
          "*", [](auto x, auto y) { return x * y; }, [](Number x, Number y) { return x * y; }),
      make_case(
          "/", [](auto x, auto y) { return x / y; }, [](Number x, Number y) { return x / y; }),
      make_case(
          "conj", [](auto x, auto y) { return x * conj(y); },
          [](Number x, Number y) { return x * std::conj(y); }),
      make_case(
          "exp", [](auto x, auto y) { return exp(x) + y; },
          [](Number x, Number y) { return std::exp(x) + y; }),
      make_case(
          "expm1", [](auto x, auto y) { return expm1(x * y); },
          [](Number x, Number y) { return std::exp(x * y) - 1.0; }),
      make_case(
          "abs",
          [](auto x, auto y) {
            return Complex{abs(x), abs2(y)};
          },
          [](Number x, Number y) {
            return Number{std::abs(x), std::norm(y)};
          }),
      make_case(
          "beside real numbers",
          [](auto x, auto y) {
            return (1.0 - x * 2.0 + 0.5) * (3.0 * y - 1.0) / 4.0 + 2.0 / y + x.real * y - y.imag;
          },
          [](Number x, Number y) {
            return (1.0 - x * 2.0 + 0.5) * (3.0 * y - 1.0) / 4.0 + 2.0 / y + x.real() * y -
                   y.imag();
          }),
      make_case(
          "constant parts",
          [](auto x, auto y) {
            return Complex{x.real, 0.0} * y + exp(Complex{0.0 * y.real, x.imag});
          },
          [](Number x, Number y) {
            return x.real() * y + std::exp(Number{0.0, x.imag()});
          }),
  };
}

std::vector<Tensor> inputs() {
  return {random({7}, 1), random({7}, 2), random({7}, 3, 0.5, 1.5), random({7}, 4)};
}

}  // namespace

TEST_CASE("complex operations inside a lambda are those of the standard library") {
  const std::vector<Tensor> x = inputs();
  const std::vector<Variable> variables(x.begin(), x.end());
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto [real, imag] = c.f(variables);
    for (Index i = 0; i < 7; ++i) {
      const Number y = c.expected({x[0].at({i}), x[1].at({i})}, {x[2].at({i}), x[3].at({i})});
      CHECK(std::abs(Number(real.value().at({i}), imag.value().at({i})) - y) <
            1e-14 * (1 + std::abs(y)));
    }
  }
}

TEST_CASE("complex operations inside a lambda have their derivatives of both orders") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const DifferentiableFunction both = [&](std::span<const Variable> x) {
      const auto [real, imag] = c.f(x);
      return concat({square(real), square(imag) + real * imag});
    };
    const GradcheckReport first = gradcheck(both, inputs());
    CHECK_MESSAGE(first.passed, first.to_string());
    const GradcheckReport second = gradgradcheck(both, inputs());
    CHECK_MESSAGE(second.passed, second.to_string());
  }
}

TEST_CASE("expm1 of a small complex number keeps its digits") {
  const Variable size = Tensor::of<double>({3}, {1e-12, 1e-9, 1e-5});
  const auto [real, imag] = pointwise(
      [](auto s) {
        return (expm1(Complex{-s, 2.0 * s}) / Complex{-s, 2.0 * s}).parts();
      },
      size);
  // (e^z - 1) / z = 1 + z / 2 + ...
  for (Index i = 0; i < 3; ++i) {
    const double s = size.value().at({i});
    const Number z(-s, 2.0 * s);
    const Number expected = 1.0 + z / 2.0 + z * z / 6.0 + z * z * z / 24.0;
    CHECK(std::abs(Number(real.value().at({i}), imag.value().at({i})) - expected) < 1e-15);
  }
}

TEST_CASE("the size of a complex number has the derivative 0 at 0") {
  Tape tape;
  const Variable zero = tape.watch(zeros({1}, Dtype::float64));
  const Variable size = pointwise([](auto x) { return abs(Complex{x, x}); }, zero);
  CHECK(tape.gradients(sum(size))[zero].item() == 0.0);
}

}  // namespace unroll::testing
