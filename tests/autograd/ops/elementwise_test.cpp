#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

struct Function {
  std::string name;
  Variable (*op)(const Variable&);
  double (*reference)(double);
  double low, high;
};

const std::vector<Function>& functions() {
  static const std::vector<Function> list{
      {"abs", abs, [](double x) { return std::abs(x); }, -3, 3},
      {"square", square, [](double x) { return x * x; }, -3, 3},
      {"sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0, 9},
      {"exp", exp, [](double x) { return std::exp(x); }, -20, 20},
      {"expm1", expm1, [](double x) { return std::expm1(x); }, -2, 2},
      {"expm1, tiny", expm1, [](double x) { return std::expm1(x); }, -1e-7, 1e-7},
      {"log", log, [](double x) { return std::log(x); }, 1e-6, 30},
      {"log1p", log1p, [](double x) { return std::log1p(x); }, -0.9, 5},
      {"log1p, tiny", log1p, [](double x) { return std::log1p(x); }, -1e-7, 1e-7},
      {"sin", sin, [](double x) { return std::sin(x); }, -30, 30},
      {"cos", cos, [](double x) { return std::cos(x); }, -30, 30},
      {"tanh", tanh, [](double x) { return std::tanh(x); }, -10, 10},
      {"tanh, tiny", tanh, [](double x) { return std::tanh(x); }, -1e-4, 1e-4},
      {"sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -30, 30},
      {"softplus", softplus, [](double x) { return std::log1p(std::exp(x)); }, -30, 30},
      {"relu", relu, [](double x) { return x > 0 ? x : 0; }, -3, 3},
      {"negation", [](const Variable& x) { return -x; }, [](double x) { return -x; }, -3, 3},
  };
  return list;
}

double relative_distance(double actual, double expected) {
  if (actual == expected) return 0.0;
  return std::abs(actual - expected) / std::max(std::abs(expected), 1e-300);
}

}  // namespace

TEST_CASE(
    "every function agrees with the standard library to the last digits, in both precisions") {
  for (const Function& f : functions())
    for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const Tensor x = random({501}, 1, f.low, f.high).to(dtype);
      const Tensor y = f.op(x).value();
      CHECK(y.dtype() == dtype);
      CHECK(y.shape() == x.shape());
      const auto arguments = x.to_vector<double>();
      const auto values = y.to_vector<double>();
      double worst = 0.0;
      double at = 0.0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = f.reference(arguments[i]);
        // Near a zero crossing of sin, cos or log the last digits of the argument decide.
        const double d = std::abs(expected) < 0.01 && f.high > 4
                             ? std::abs(values[i] - expected)
                             : relative_distance(values[i], expected);
        if (d > worst) at = arguments[i];
        worst = std::max(worst, d);
      }
      CHECK_MESSAGE(worst < (dtype == Dtype::float32 ? 1e-6 : 2e-15),
                    f.name << " in " << to_string(dtype) << " is off by " << worst << " at " << at);
    }
}

TEST_CASE("arithmetic agrees with plain loops") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Tensor a = random({37}, 1).to(dtype);
    const Tensor b = random({37}, 2, 0.5, 2.0).to(dtype);
    const auto x = a.to_vector<double>();
    const auto y = b.to_vector<double>();
    const auto expect = [&](const Variable& actual,
                            const std::function<double(double, double)>& f) {
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) expected.push_back(f(x[i], y[i]));
      CHECK(actual.dtype() == dtype);
      expect_values(actual.value(), expected, dtype == Dtype::float32 ? 2e-7 : 1e-15);
    };
    const Variable u = a;
    const Variable v = b;
    expect(u + v, [](double p, double q) { return p + q; });
    expect(u - v, [](double p, double q) { return p - q; });
    expect(u * v, [](double p, double q) { return p * q; });
    expect(u / v, [](double p, double q) { return p / q; });
    expect(u + 0.5, [](double p, double) { return p + 0.5; });
    expect(0.5 + u, [](double p, double) { return p + 0.5; });
    expect(u - 0.5, [](double p, double) { return p - 0.5; });
    expect(0.5 - u, [](double p, double) { return 0.5 - p; });
    expect(u * 3.0, [](double p, double) { return p * 3.0; });
    expect(3.0 * u, [](double p, double) { return p * 3.0; });
    expect(v / 3.0, [](double, double q) { return q / 3.0; });
    expect(3.0 / v, [](double, double q) { return 3.0 / q; });
    expect(maximum(u, v), [](double p, double q) { return p > q ? p : q; });
    expect(minimum(u, v), [](double p, double q) { return p < q ? p : q; });
  }
}

TEST_CASE(
    "powers agree with the standard library, of negative numbers too when the exponent is whole") {
  for (double exponent : {2.0, 3.0, -1.0, -2.0, 0.0, 1.0})
    for (double x : {-2.5, -1.0, -0.3, 0.4, 1.0, 7.0})
      CHECK(pow(Variable(full({}, x, Dtype::float64)), exponent).item() ==
            doctest::Approx(std::pow(x, exponent)).epsilon(1e-13));
  for (double exponent : {0.5, 1.7, -0.3})
    for (double x : {0.1, 1.0, 7.0, 1e8})
      CHECK(pow(Variable(full({}, x, Dtype::float64)), exponent).item() ==
            doctest::Approx(std::pow(x, exponent)).epsilon(1e-13));
  CHECK(pow(Variable(zeros({}, Dtype::float64)), 2.0).item() == 0.0);
  CHECK(pow(Variable(zeros({}, Dtype::float64)), 0.0).item() == 1.0);
  CHECK(std::isnan(pow(Variable(full({}, -2.0, Dtype::float64)), 0.5).item()));
}

TEST_CASE("whole powers have finite derivatives at zero, of every order") {
  for (int exponent : {0, 1, 2, 3}) {
    Tape tape;
    const Variable x = tape.watch(zeros({}, Dtype::float64));
    const Variable first =
        tape.gradients(pow(x, static_cast<double>(exponent)), {.differentiable = true})[x];
    CHECK(first.item() == (exponent == 1 ? 1.0 : 0.0));
    if (!first.recorded()) continue;
    CHECK(tape.gradients(first)[x].item() == (exponent == 2 ? 2.0 : 0.0));
  }
}

TEST_CASE("saturated functions neither overflow nor lose the small end") {
  const auto at = [](Variable (*f)(const Variable&), double x) {
    return f(full({}, x, Dtype::float64)).item();
  };
  CHECK(at(softplus, 1000.0) == 1000.0);
  CHECK(at(softplus, -700.0) == doctest::Approx(std::exp(-700.0)).epsilon(1e-12));
  CHECK(at(sigmoid, 1000.0) == 1.0);
  CHECK(at(sigmoid, -1000.0) == 0.0);
  CHECK(at(sigmoid, -700.0) == doctest::Approx(std::exp(-700.0)).epsilon(1e-12));
  CHECK(at(tanh, 1000.0) == 1.0);
  CHECK(at(tanh, -1000.0) == -1.0);
}

TEST_CASE("at a kink the derivative is the one documented") {
  const auto slope_at_zero = [](auto f) {
    Tape tape;
    const Variable x = tape.watch(zeros({}, Dtype::float64));
    return tape.gradients(f(x))[x].item();
  };
  CHECK(slope_at_zero([](const Variable& x) { return abs(x); }) == 0.0);
  CHECK(slope_at_zero([](const Variable& x) { return relu(x); }) == 0.0);
  CHECK(slope_at_zero([](const Variable& x) { return softplus(x); }) == 0.5);
  const Variable zero = zeros({}, Dtype::float64);
  CHECK(slope_at_zero([&](const Variable& x) { return maximum(x, zero); }) == 0.0);
  CHECK(slope_at_zero([&](const Variable& x) { return maximum(zero, x); }) == 1.0);
  CHECK(slope_at_zero([&](const Variable& x) { return minimum(x, zero); }) == 0.0);
  CHECK(slope_at_zero([&](const Variable& x) { return minimum(zero, x); }) == 1.0);
}

TEST_CASE("derivatives stay finite where a function saturates") {
  for (auto* f : {static_cast<Variable (*)(const Variable&)>(tanh), sigmoid, softplus})
    for (double x : {-1000.0, -50.0, 50.0, 1000.0})
      for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
        Tape tape;
        const Variable leaf = tape.watch(full({}, x, dtype));
        const double slope = tape.gradients(f(leaf))[leaf].item();
        CHECK(std::isfinite(slope));
        CHECK(slope >= 0.0);
        CHECK(slope <= 1.0);
      }
}

}  // namespace unroll::testing
