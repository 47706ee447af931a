// The functions beyond those of elementwise_test.cpp: values over the whole range, kinks, edges.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Wide = long double;
using Op = Variable (*)(const Variable&);
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Function {
  std::string name;
  Op op;
  Wide (*reference)(Wide);
  double low, high;
};

Wide sigmoid_of(Wide x) { return 1 / (1 + std::exp(-x)); }

const std::vector<Function>& functions() {
  static const std::vector<Function> list{
      {"reciprocal", reciprocal, [](Wide x) { return 1 / x; }, -30, 30},
      {"rsqrt", rsqrt, [](Wide x) { return 1 / std::sqrt(x); }, 0, 1e9},
      {"cbrt", cbrt, [](Wide x) { return std::cbrt(x); }, -10, 10},
      {"cbrt, huge", cbrt, [](Wide x) { return std::cbrt(x); }, -1e30, 1e30},
      {"exp2", exp2, [](Wide x) { return std::exp2(x); }, -120, 120},
      {"log2", log2, [](Wide x) { return std::log2(x); }, 1e-6, 30},
      {"log2, near 1", log2, [](Wide x) { return std::log2(x); }, 0.99, 1.01},
      {"log10", log10, [](Wide x) { return std::log10(x); }, 1e-6, 1e30},
      {"tan", tan, [](Wide x) { return std::tan(x); }, -30, 30},
      {"asin", asin, [](Wide x) { return std::asin(x); }, -1, 1},
      {"asin, tiny", asin, [](Wide x) { return std::asin(x); }, -1e-5, 1e-5},
      {"acos", acos, [](Wide x) { return std::acos(x); }, -1, 1},
      {"acos, near 1", acos, [](Wide x) { return std::acos(x); }, 0.99, 1},
      {"atan", atan, [](Wide x) { return std::atan(x); }, -10, 10},
      {"atan, tiny", atan, [](Wide x) { return std::atan(x); }, -1e-4, 1e-4},
      {"sinh", sinh, [](Wide x) { return std::sinh(x); }, -80, 80},
      {"sinh, tiny", sinh, [](Wide x) { return std::sinh(x); }, -1e-3, 1e-3},
      {"cosh", cosh, [](Wide x) { return std::cosh(x); }, -80, 80},
      {"asinh", asinh, [](Wide x) { return std::asinh(x); }, -10, 10},
      {"asinh, tiny", asinh, [](Wide x) { return std::asinh(x); }, -1e-4, 1e-4},
      {"asinh, huge", asinh, [](Wide x) { return std::asinh(x); }, -1e30, 1e30},
      {"acosh", acosh, [](Wide x) { return std::acosh(x); }, 1, 10},
      {"acosh, near 1", acosh, [](Wide x) { return std::acosh(x); }, 1, 1.001},
      {"acosh, huge", acosh, [](Wide x) { return std::acosh(x); }, 1, 1e30},
      {"atanh", atanh, [](Wide x) { return std::atanh(x); }, -0.9999, 0.9999},
      {"atanh, tiny", atanh, [](Wide x) { return std::atanh(x); }, -1e-4, 1e-4},
      {"erf", erf, [](Wide x) { return std::erf(x); }, -6, 6},
      {"erf, tiny", erf, [](Wide x) { return std::erf(x); }, -1e-4, 1e-4},
      {"erfc", erfc, [](Wide x) { return std::erfc(x); }, -6, 9},
      {"lgamma", lgamma, [](Wide x) { return std::lgamma(x); }, 1e-3, 30},
      {"lgamma, large", lgamma, [](Wide x) { return std::lgamma(x); }, 30, 1e4},
      {"log_sigmoid", log_sigmoid, [](Wide x) { return -std::log1p(std::exp(-x)); }, -30, 30},
      {"softsign", softsign, [](Wide x) { return x / (1 + std::abs(x)); }, -30, 30},
      {"leaky_relu", [](const Variable& x) { return leaky_relu(x, 0.25); },
       [](Wide x) { return x > 0 ? x : x / 4; }, -30, 30},
      {"elu", [](const Variable& x) { return elu(x, 0.5); },
       [](Wide x) { return x > 0 ? x : std::expm1(x) / 2; }, -30, 30},
      {"celu", [](const Variable& x) { return celu(x, 2); },
       [](Wide x) { return x > 0 ? x : 2 * std::expm1(x / 2); }, -30, 30},
      {"selu", selu,
       [](Wide x) {
         return 1.0507009873554804934193349852946L *
                (x > 0 ? x : 1.6732632423543772848170429916717L * std::expm1(x));
       },
       -30, 30},
      {"gelu", [](const Variable& x) { return gelu(x); },
       [](Wide x) { return x / 2 * std::erfc(-x * std::sqrt(0.5L)); }, -8, 9},
      {"gelu by tanh", [](const Variable& x) { return gelu(x, Gelu::tanh); },
       [](Wide x) {
         const Wide pi = 3.14159265358979323846264338327950288L;
         return x * sigmoid_of(2 * std::sqrt(2 / pi) * (x + 0.044715L * x * x * x));
       },
       -3, 9},
      {"silu", silu, [](Wide x) { return x * sigmoid_of(x); }, -30, 30},
      {"mish", mish, [](Wide x) { return x * std::tanh(std::log1p(std::exp(x))); }, -30, 30},
      {"hard_sigmoid", hard_sigmoid, [](Wide x) { return x <= -3  ? 0
                                                         : x >= 3 ? 1
                                                                  : x / 6 + 0.5L; },
       -2.9, 30},
      {"hard_tanh", [](const Variable& x) { return hard_tanh(x); },
       [](Wide x) { return x <= -1  ? -1
                           : x >= 1 ? 1
                                    : x; }, -3, 3},
      {"clamp", [](const Variable& x) { return clamp(x, -2, 3); },
       [](Wide x) { return x < -2  ? -2
                           : x > 3 ? 3
                                   : x; }, -5, 5},
      {"floor", floor, [](Wide x) { return std::floor(x); }, -9, 9},
      {"ceil", ceil, [](Wide x) { return std::ceil(x); }, -9, 9},
      {"round", round, [](Wide x) { return std::nearbyint(x); }, -9, 9},
      {"sign", sign, [](Wide x) { return Wide((x > 0) - (x < 0)); }, -9, 9},
  };
  return list;
}

double at(const Variable& y) { return y.item(); }
Variable number(double x) { return full({}, x, Dtype::float64); }

double slope(Op f, double x) {
  Tape tape;
  const Variable leaf = tape.watch(full({}, x, Dtype::float64));
  return tape.gradients(f(leaf))[leaf].item();
}

}  // namespace

TEST_CASE("functions agree with long double over their whole range, in both precisions") {
  for (const Function& f : functions())
    for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const Tensor x = random({1003}, 1, f.low, f.high).to(dtype);
      const Tensor y = f.op(x).value();
      CHECK(y.dtype() == dtype);
      CHECK(y.shape() == x.shape());
      const auto arguments = x.to_vector<double>();
      const auto values = y.to_vector<double>();
      double worst = 0.0;
      double where = 0.0;
      for (std::size_t i = 0; i < values.size(); ++i) {
        const Wide expected = f.reference(arguments[i]);
        const Wide d = std::abs(values[i] - expected) / std::max<Wide>(std::abs(expected), 1e-300L);
        const double off = static_cast<double>(values[i] == expected ? 0 : d);
        if (off > worst) where = arguments[i];
        worst = std::max(worst, off);
      }
      CHECK_MESSAGE(
          worst < (dtype == Dtype::float32 ? 6e-7 : 1e-14),
          f.name << " in " << to_string(dtype) << " is off by " << worst << " at " << where);
    }
}

TEST_CASE("the derivative of lgamma is digamma") {
  const double euler = 0.57721566490153286061;
  CHECK(slope(lgamma, 1.0) == doctest::Approx(-euler).epsilon(1e-14));
  CHECK(slope(lgamma, 0.5) == doctest::Approx(-euler - 2 * std::log(2.0)).epsilon(1e-14));
  CHECK(slope(lgamma, 2.0) == doctest::Approx(1 - euler).epsilon(1e-14));
  CHECK(slope(lgamma, 1e-8) == doctest::Approx(-1e8 - euler).epsilon(1e-14));
  CHECK(slope(lgamma, -0.5) == doctest::Approx(0.03648997397857652056).epsilon(1e-12));
  // psi(x + 1) = psi(x) + 1 / x, on both sides of 0
  for (double x : {-7.3, -2.6, -0.4, 0.01, 0.7, 3.0, 12.5, 1e3})
    CHECK(slope(lgamma, x + 1) == doctest::Approx(slope(lgamma, x) + 1 / x).epsilon(1e-13));
  CHECK(slope(lgamma, 1e8) == doctest::Approx(std::log(1e8) - 0.5e-8).epsilon(1e-14));
}

TEST_CASE("functions of two numbers agree with the standard library") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Tensor a = random({37}, 1, -5, 5).to(dtype);
    const Tensor b = random({37}, 2, -2, 2).to(dtype);
    const auto x = a.to_vector<double>();
    const auto y = b.to_vector<double>();
    const auto expect = [&](const Variable& actual, double (*f)(double, double)) {
      std::vector<double> expected;
      for (std::size_t i = 0; i < x.size(); ++i) expected.push_back(f(x[i], y[i]));
      CHECK(actual.dtype() == dtype);
      expect_values(actual.value(), expected, dtype == Dtype::float32 ? 4e-7 : 1e-15);
    };
    expect(atan2(a, b), [](double p, double q) { return std::atan2(p, q); });
    expect(hypot(a, b), [](double p, double q) { return std::hypot(p, q); });
    expect(fmod(a, b), [](double p, double q) { return std::fmod(p, q); });
    expect(prelu(a, b), [](double p, double q) { return p > 0 ? p : p * q; });
    expect(lerp(a, b, 0.25), [](double p, double q) { return 0.75 * p + 0.25 * q; });
    expect(lerp(a, b, 0.75), [](double p, double q) { return 0.25 * p + 0.75 * q; });
    expect(lerp(a, b, 1.0), [](double, double q) { return q; });
    expect(where(lt(a, b), a, b), [](double p, double q) { return p < q ? p : q; });
  }
  CHECK(at(hypot(number(3e200), number(4e200))) == doctest::Approx(5e200));
  CHECK(at(fmod(number(1e18), number(3))) == std::fmod(1e18, 3));
  CHECK(at(atan2(number(0), number(-1))) == std::atan2(0.0, -1.0));
  CHECK(at(atan2(number(-0.0), number(-1))) == std::atan2(-0.0, -1.0));
}

TEST_CASE("functions have the standard library's values at zeros, infinities and outside") {
  struct Edge {
    const char* name;
    Op op;
    double (*reference)(double);
  };
  const std::vector<Edge> edges{
      {"cbrt", cbrt, [](double x) { return std::cbrt(x); }},
      {"exp2", exp2, [](double x) { return std::exp2(x); }},
      {"log2", log2, [](double x) { return std::log2(x); }},
      {"log10", log10, [](double x) { return std::log10(x); }},
      {"tan", tan, [](double x) { return std::tan(x); }},
      {"asin", asin, [](double x) { return std::asin(x); }},
      {"acos", acos, [](double x) { return std::acos(x); }},
      {"atan", atan, [](double x) { return std::atan(x); }},
      {"sinh", sinh, [](double x) { return std::sinh(x); }},
      {"cosh", cosh, [](double x) { return std::cosh(x); }},
      {"asinh", asinh, [](double x) { return std::asinh(x); }},
      {"acosh", acosh, [](double x) { return std::acosh(x); }},
      {"atanh", atanh, [](double x) { return std::atanh(x); }},
      {"erf", erf, [](double x) { return std::erf(x); }},
      {"erfc", erfc, [](double x) { return std::erfc(x); }},
      {"lgamma", lgamma, [](double x) { return std::lgamma(x); }},
      {"ceil", ceil, [](double x) { return std::ceil(x); }},
      {"round", round, [](double x) { return std::nearbyint(x); }},
  };
  for (const Edge& edge : edges)
    for (Dtype dtype : {Dtype::float32, Dtype::float64})
      for (double x : {0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.0, 5.0, kInfinity, -kInfinity, kNan}) {
        const double y = edge.op(full({}, x, dtype)).item();
        CHECK_MESSAGE(distance(y, edge.reference(x)) < (dtype == Dtype::float32 ? 4e-7 : 1e-15),
                      edge.name << " of " << x << " in " << to_string(dtype) << " is " << y
                                << ", expected " << edge.reference(x));
      }
}

TEST_CASE("at a kink the derivative of an activation is the one documented") {
  CHECK(slope([](const Variable& x) { return leaky_relu(x, 0.25); }, 0.0) == 0.25);
  CHECK(slope([](const Variable& x) { return elu(x, 0.5); }, 0.0) == 0.5);
  CHECK(slope([](const Variable& x) { return hard_tanh(x); }, 1.0) == 0.0);
  CHECK(slope([](const Variable& x) { return hard_tanh(x); }, -1.0) == 0.0);
  CHECK(slope(hard_sigmoid, 3.0) == 0.0);
  CHECK(slope(hard_sigmoid, -3.0) == 0.0);
  CHECK(slope([](const Variable& x) { return clamp(x, -1, 2); }, 2.0) == 1.0);
  CHECK(slope([](const Variable& x) { return clamp(x, -1, 2); }, -1.0) == 1.0);
  CHECK(slope([](const Variable& x) { return clamp(x, -1, 2); }, 2.5) == 0.0);
  CHECK(slope([](const Variable& x) { return hypot(x, number(0)); }, 0.0) == 0.0);
  CHECK(slope(softsign, 0.0) == 1.0);
  CHECK(slope(cbrt, 0.0) == kInfinity);
  for (Op f : std::vector<Op>{floor, ceil, round, sign}) CHECK(slope(f, 0.0) == 0.0);
  for (double x : {-kInfinity, -900.0, 900.0})
    for (Op f : std::vector<Op>{log_sigmoid, selu, hard_sigmoid}) CHECK(!std::isnan(slope(f, x)));
}

TEST_CASE("activations pass a NaN on") {
  for (Op f : std::vector<Op>{log_sigmoid, softsign, selu, silu, mish, hard_sigmoid})
    CHECK(std::isnan(at(f(number(kNan)))));
  CHECK(std::isnan(at(leaky_relu(number(kNan)))));
  CHECK(std::isnan(at(gelu(number(kNan)))));
  CHECK(std::isnan(at(hard_tanh(number(kNan)))));
  CHECK(std::isnan(at(clamp(number(kNan), 0, 1))));
}

TEST_CASE("where keeps a NaN of the side not chosen out of value and gradient") {
  Tape tape;
  const Variable x = tape.watch(Tensor::of<double>({3}, {-1.0, 0.0, 4.0}));
  const Variable y = where(gt(x, 0.0), sqrt(x), full({}, 7.0, Dtype::float64));
  CHECK(y.value().to_vector<double>() == std::vector{7.0, 7.0, 2.0});
  const Variable tiny = where(full({}, 1e-300, Dtype::float64), ones({}), zeros({}));
  CHECK(tiny.item() == 1.0);
}

TEST_CASE("comparisons give 1 or 0 in the dtype of their inputs") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    const Tensor x = Tensor::of<double>({3}, {-1.0, 0.0, 2.0}).to(dtype);
    const Tensor column = Tensor::of<double>({2, 1}, {0.0, 2.0}).to(dtype);
    CHECK(lt(x, column).dtype() == dtype);
    CHECK(lt(x, column).shape() == Shape{2, 3});
    expect_values(lt(x, column), {1, 0, 0, 1, 1, 0});
    expect_values(le(x, column), {1, 1, 0, 1, 1, 1});
    expect_values(gt(x, column), {0, 0, 1, 0, 0, 0});
    expect_values(ge(x, column), {0, 1, 1, 0, 0, 1});
    expect_values(eq(x, column), {0, 1, 0, 0, 0, 1});
    expect_values(ne(x, column), {1, 0, 1, 1, 1, 0});
    expect_values(gt(x, -0.5), {0, 1, 1});
    expect_values(lt(x, 0.5), {1, 1, 0});
    expect_values(mask_and(x, column), {0, 0, 0, 1, 0, 1});
    expect_values(mask_or(x, column), {1, 0, 1, 1, 1, 1});
    expect_values(mask_xor(x, column), {1, 0, 1, 0, 1, 0});
    expect_values(mask_not(x), {0, 1, 0});
    expect_values(is_finite(x), {1, 1, 1});
  }
  const Tensor values = Tensor::of<double>({4}, {-1.0, kNan, 0.0, 2.0});
  expect_values(lt(values, 9.0), {1, 0, 1, 1});
  expect_values(eq(values, values), {1, 0, 1, 1});
  expect_values(ne(values, values), {0, 1, 0, 0});
  expect_values(is_nan(values), {0, 1, 0, 0});
  expect_values(is_inf(Tensor::of<double>({3}, {kInfinity, -kInfinity, kNan})), {1, 1, 0});
  expect_values(is_finite(Tensor::of<double>({3}, {kInfinity, 1.0, kNan})), {0, 1, 0});
}

TEST_CASE("functions refuse what they cannot do, by name") {
  const Variable x = ones({2});
  expect_error<DtypeError>([] { tan(arange(3)); }, {"tan", "int64"});
  expect_error<DtypeError>([] { erf(arange(3)); }, {"erf", "int64"});
  expect_error<DtypeError>([] { gelu(arange(3)); }, {"gelu", "int64"});
  expect_error<ShapeError>([&] { hypot(x, ones({3})); }, {"hypot", "[2]", "[3]"});
  expect_error<ShapeError>([&] { prelu(x, ones({3})); }, {"prelu", "[2]", "[3]"});
  expect_error<DtypeError>([&] { atan2(x, number(1)); }, {"atan2", "float32", "float64"});
  expect_error<ArgumentError>([&] { clamp(x, 2, 1); }, {"clamp", "2.0", "1.0"});
  expect_error<ArgumentError>([&] { clamp(x, kNan, 1); }, {"clamp"});
  expect_error<ArgumentError>([&] { hard_tanh(x, 1, 1); }, {"hard_tanh"});
  expect_error<ArgumentError>([&] { celu(x, 0); }, {"celu", "alpha"});
  expect_error<ArgumentError>([&] { where(Tensor(), x, x); }, {"where", "condition"});
  expect_error<ShapeError>([&] { where(ones({3}), x, x); }, {"where", "[3]", "[2]"});
  expect_error<DtypeError>([&] { lt(x, number(1)); }, {"lt", "float32", "float64"});
  expect_error<ShapeError>([&] { lt(x, ones({3})); }, {"lt", "[2]", "[3]"});
  expect_error<ArgumentError>([&] { lt(Variable(), x); }, {"lt", "undefined"});
  expect_error<ArgumentError>([&] { is_nan(Variable()); }, {"is_nan", "undefined"});
}

}  // namespace unroll::testing
