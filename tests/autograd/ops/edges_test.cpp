// Where formulas meet infinities, zeros and the ends of the range: the value and the gradient are
// what the limit says, not a NaN out of 0 times infinity.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
const std::vector<Dtype> kDtypes{Dtype::float32, Dtype::float64};

Tensor numbers(const std::vector<double>& values, Dtype dtype = Dtype::float64) {
  return Tensor::of<double>({static_cast<Index>(values.size())}, values).to(dtype);
}

struct Outcome {
  std::vector<double> value, slope;
};

/// f(x) and the gradient of its sum.
Outcome outcome(const std::function<Variable(const Variable&)>& f, const Tensor& x) {
  Tape tape;
  const Variable leaf = tape.watch(x);
  const Variable y = f(leaf);
  Gradients gradients = tape.gradients(sum(y));
  return {y.value().to_vector<double>(), gradients[leaf].value().to_vector<double>()};
}

/// Equal, NaN to NaN.
void check_same(const std::vector<double>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (std::size_t k = 0; k < got.size(); ++k) {
    CAPTURE(k);
    if (std::isnan(wanted[k]))
      CHECK(std::isnan(got[k]));
    else
      CHECK(got[k] == wanted[k]);
  }
}

}  // namespace

TEST_CASE("a power and its slope are right at zeros and infinities") {
  for (Dtype dtype : kDtypes) {
    const auto power = [](double exponent) {
      return [exponent](const Variable& x) { return pow(x, exponent); };
    };
    Outcome y = outcome(power(-1.0), numbers({0.0, 2.0}, dtype));
    check_same(y.value, {kInfinity, 0.5});
    check_same(y.slope, {-kInfinity, -0.25});
    y = outcome(power(0.5), numbers({0.0, 4.0, -kInfinity}, dtype));
    check_same(y.value, {0.0, 2.0, kInfinity});
    CHECK(y.slope[0] == kInfinity);
    CHECK(y.slope[1] == 0.25);

    // In lambdas, where the exponent may be a number of the lambda.
    const Tensor exponents = numbers({-1.0, 0.0, 2.0, 3.0}, dtype);
    y = outcome(
        [&](const Variable& x) {
          return pointwise([](auto a, auto b) { return pow(a, b); }, x, exponents);
        },
        numbers({0.0, 0.0, 0.0, -2.0}, dtype));
    check_same(y.value, {kInfinity, 1.0, 0.0, -8.0});
    check_same(y.slope, {-kInfinity, 0.0, 0.0, 12.0});
    y = outcome(
        [&](const Variable& b) {
          return pointwise([](auto a, auto e) { return pow(a, e); },
                           numbers({0.0, 0.0, -2.0}, dtype), b);
        },
        numbers({2.0, -1.0, 3.0}, dtype));
    check_same(y.slope, {0.0, -kInfinity, kNan});
    y = outcome([](const Variable& b) { return pointwise([](auto e) { return pow(0.0, e); }, b); },
                numbers({2.0, -1.0}, dtype));
    check_same(y.value, {0.0, kInfinity});
    check_same(y.slope, {0.0, -kInfinity});
  }
}

TEST_CASE("whole powers of whole numbers are exact") {
  for (int exponent = -3; exponent <= 10; ++exponent)
    for (int base : {2, 3, 5, 7, 10}) {
      CAPTURE(base);
      CAPTURE(exponent);
      const double wanted = std::pow(base, exponent);
      CHECK(pow(full({}, base, Dtype::float64), exponent).item() == wanted);
      CHECK(pow(full({}, base, Dtype::float32), exponent).item() ==
            static_cast<double>(static_cast<float>(wanted)));
    }
}

TEST_CASE("logsumexp has the slopes of softmax, also far from 0 and where nothing is possible") {
  const auto slope = [](const std::vector<double>& x, Dtype dtype) {
    return outcome([](const Variable& v) { return logsumexp(v); }, numbers(x, dtype)).slope;
  };
  for (Dtype dtype : kDtypes) {
    check_same(slope({-kInfinity, -kInfinity}, dtype), {0.0, 0.0});
    check_same(slope({-kInfinity, 3.0}, dtype), {0.0, 1.0});
    check_same(slope({1e6, 1e6}, dtype), {0.5, 0.5});
  }
  check_same(slope({1e16, 1e16}, Dtype::float64), {0.5, 0.5});
  check_same(slope({kNan, 0.0}, Dtype::float64), {kNan, kNan});
}

TEST_CASE("what has no probability adds nothing to a loss, however impossible it is") {
  for (Dtype dtype : kDtypes) {
    const Tensor x = numbers({-1.0, -2.0, -kInfinity}, dtype);
    const Outcome y = outcome(
        [&](const Variable& v) {
          return kl_div(v, numbers({0.0, -kInfinity, -kInfinity}, dtype),
                        {.log_target = true, .reduction = Reduction::sum});
        },
        x);
    check_same(y.value, {1.0});
    check_same(y.slope, {-1.0, 0.0, 0.0});

    const Outcome binary = outcome(
        [&](const Variable& v) {
          return binary_cross_entropy_with_logits(v, numbers({1.0, 0.0, 1.0, 0.0}, dtype),
                                                  {.reduction = Reduction::none});
        },
        numbers({kInfinity, -kInfinity, -kInfinity, kInfinity}, dtype));
    check_same(binary.value, {0.0, 0.0, kInfinity, kInfinity});
    check_same(binary.slope, {0.0, 0.0, -1.0, 1.0});

    // The third class has weight 0 in the first row, where it is the target.
    const Tensor logits = Tensor::of<double>({2, 3}, {1, 2, -kInfinity, 0, 0, 0}).to(dtype);
    const auto weighted_loss = [&](double smoothing) {
      return outcome(
          [&](const Variable& v) {
            return cross_entropy(
                v, Tensor::of<std::int64_t>({2}, {2, 0}),
                {.weights = numbers({1.0, 1.0, 0.0}, dtype), .label_smoothing = smoothing});
          },
          logits);
    };
    const Outcome entropy = weighted_loss(0.0);
    CHECK(entropy.value[0] == doctest::Approx(std::log(3.0)).epsilon(1e-7));
    const std::vector<double> wanted{0, 0, 0, -2.0 / 3, 1.0 / 3, 1.0 / 3};
    for (std::size_t k = 0; k < wanted.size(); ++k)
      CHECK(entropy.slope[k] == doctest::Approx(wanted[k]).epsilon(1e-6));
    CHECK(std::isfinite(weighted_loss(0.1).value[0]));
  }
}

TEST_CASE("a branch that where does not choose has no slope, inside a lambda or out") {
  for (Dtype dtype : kDtypes) {
    const Tensor x = numbers({-1.0, 0.0, 2.0}, dtype);
    const Outcome outside = outcome(
        [](const Variable& v) { return where(gt(v, 0.0), log(v) + sqrt(v), zeros({}, v.dtype())); },
        x);
    const Outcome inside = outcome(
        [](const Variable& v) {
          return pointwise([](auto a) { return where(a > 0.0, log(a) + sqrt(a), 0.0); }, v);
        },
        x);
    check_same(outside.value, inside.value);
    check_same(outside.slope, inside.slope);
    CHECK(outside.slope[0] == 0.0);
    CHECK(outside.slope[1] == 0.0);
  }
}

TEST_CASE("a derivative along a direction is infinite where the slope is") {
  const Variable zero = full({}, 0.0, Dtype::float64);
  const Variable slope =
      jvp([](const Variable& v) { return sqrt(v); }, zero, full({}, 1.0, Dtype::float64));
  CHECK(slope.item() == kInfinity);
}

TEST_CASE("functions are NaN outside their domain, and so are the slopes of acosh") {
  for (Dtype dtype : kDtypes) {
    const Outcome y = outcome([](const Variable& x) { return acosh(x); },
                              numbers({-1e15, -2.0, 0.5, 1.0, 2.0}, dtype));
    for (std::size_t k = 0; k < 3; ++k) {
      CHECK(std::isnan(y.value[k]));
      CHECK(std::isnan(y.slope[k]));
    }
    CHECK(y.value[3] == 0.0);
    CHECK(y.slope[3] == kInfinity);
    CHECK(y.value[4] == doctest::Approx(std::acosh(2.0)));
  }
}

TEST_CASE("logarithms and roots of denormal numbers have their digits") {
  for (double x : {4.9e-324, 1e-322, 1e-310, 2.2e-308, 2.3e-308}) {
    CAPTURE(x);
    const Variable v = full({9}, x, Dtype::float64);
    const auto first = [](const Variable& y) { return y.value().to_vector<double>()[0]; };
    CHECK(first(log(v)) == doctest::Approx(std::log(x)).epsilon(1e-15));
    CHECK(first(log2(v)) == doctest::Approx(std::log2(x)).epsilon(1e-15));
    CHECK(first(log10(v)) == doctest::Approx(std::log10(x)).epsilon(1e-15));
    CHECK(first(cbrt(v)) == doctest::Approx(std::cbrt(x)).epsilon(1e-15).scale(0));
    CHECK(first(cbrt(-v)) == doctest::Approx(-std::cbrt(x)).epsilon(1e-15).scale(0));
    CHECK(first(pow(v, 0.5)) == doctest::Approx(std::sqrt(x)).epsilon(1e-15).scale(0));
  }
  CHECK(log(full({}, 1e-310, Dtype::float64)).item() == doctest::Approx(-713.80).epsilon(1e-5));
}

TEST_CASE("a product is right although partial products leave the range") {
  const auto product = [](const Variable& x) { return prod(x); };
  Outcome y = outcome(product, numbers({1e300, 1e-300, 1e300, 1e-300}));
  CHECK(y.value[0] == doctest::Approx(1.0));
  for (std::size_t k = 0; k < 4; ++k)
    CHECK(y.slope[k] == doctest::Approx(k % 2 == 0 ? 1e-300 : 1e300).scale(0));
  y = outcome(product, numbers({1e300, 1e300, 0.0, 1e-300, 1e-300, -2.0, 1e-5}));
  CHECK(y.value[0] == 0.0);
  CHECK(y.slope[2] == doctest::Approx(-2e-5).scale(0));
  y = outcome(product, numbers({1e200, 1e200}));
  check_same(y.value, {kInfinity});
  check_same(y.slope, {1e200, 1e200});
  CHECK(std::isnan(outcome(product, numbers({0.0, kInfinity, 1e300})).value[0]));
  y = outcome(product, numbers({1e30, 1e-30, 1e30, 1e-30}, Dtype::float32));
  CHECK(y.value[0] == doctest::Approx(1.0));

  const auto running = [](const Variable& x) { return cumprod(x, 0); };
  y = outcome(running, numbers({1e-300, 1e-300, 1e300, 1e300}));
  check_same(y.value, {1e-300, 0.0, 0.0, 0.0});
  for (double slope : y.slope) CHECK(!std::isnan(slope));
  y = outcome(running, numbers({1e300, 1e-300, 1e300, 1e-300}));
  check_same(y.value,
             {1e300, 1e300 * 1e-300, 1e300 * 1e-300 * 1e300, 1e300 * 1e-300 * 1e300 * 1e-300});
}

TEST_CASE("the careful order of a product gives the slopes of the quick one") {
  // Squares of the same numbers, once within the range and once out of it by a factor that cancels.
  const Tensor x = random({5, 7}, 3);
  for (int which : {0, 1}) {
    CAPTURE(which);
    const auto f = [&](const Variable& v) { return which == 0 ? prod(v, {1}) : cumprod(v, 1); };
    std::vector<double> scale(7, 1e200);
    for (std::size_t k = 1; k < 7; k += 2) scale[k] = 1e-200;
    scale[6] = 1.0;
    const Tensor scales = numbers(scale);
    const auto weighed = [&](const Variable& y) {
      return which == 0 ? y : slice(y, 1, 5, 7);  // after an even number of factors they cancel
    };
    const Outcome quick = outcome([&](const Variable& v) { return weighed(f(v)); }, x);
    const Outcome careful = outcome([&](const Variable& v) { return weighed(f(v * scales)); }, x);
    for (std::size_t k = 0; k < quick.slope.size(); ++k)
      CHECK(careful.slope[k] == doctest::Approx(quick.slope[k]).epsilon(1e-9).scale(0));
  }
}

TEST_CASE("an average over an axis that is not the empty one is empty, not an error") {
  const Variable x = zeros({0, 3}, Dtype::float64);
  CHECK(mean(x, {1}).shape() == Shape{0});
  CHECK(variance(x, {1}).shape() == Shape{0});
  CHECK(standard_deviation(x, {1}, true).shape() == Shape{0, 1});
  expect_error<ShapeError>([&] { mean(x, {0}); }, {"mean", "no elements"});
}

TEST_CASE("the slope of gelu stays finite for large arguments") {
  for (Dtype dtype : kDtypes)
    for (Gelu form : {Gelu::tanh, Gelu::exact}) {
      const Outcome y = outcome([form](const Variable& x) { return gelu(x, form); },
                                numbers({1e20, -1e20, 1e3, -1e3}, dtype));
      check_same(y.slope, {1.0, 0.0, 1.0, 0.0});
    }
}

TEST_CASE("norms of denormal vectors have their digits, and so have their slopes") {
  for (double order : {1.5, 2.0, 3.0, 7.0})
    for (double unit : {5e-324, 1e-310, 1e-300, 1e300, 2e307}) {
      CAPTURE(order);
      CAPTURE(unit);
      const Outcome y = outcome([order](const Variable& x) { return norm(x, order); },
                                numbers({3 * unit, -4 * unit}));
      const double length = std::pow(std::pow(3.0, order) + std::pow(4.0, order), 1.0 / order);
      CHECK(std::abs(y.value[0] - length * unit) <= 1e-14 * length * unit + 5e-324);
      CHECK(y.slope[0] == doctest::Approx(std::pow(3.0 / length, order - 1.0)));
      CHECK(y.slope[1] == doctest::Approx(-std::pow(4.0 / length, order - 1.0)));
    }
  const Outcome small =
      outcome([](const Variable& x) { return norm(x); }, numbers({3e-44, -4e-44}, Dtype::float32));
  CHECK(small.slope[0] == doctest::Approx(0.6).epsilon(0.02));
}

TEST_CASE("the Hessian of a norm is infinite where it is, and right beside") {
  const std::vector<double> h =
      hessian([](const Variable& v) { return norm(v, 1.5); }, Variable(numbers({0.0, 2.0})))
          .value()
          .to_vector<double>();
  check_same({h[0], h[1], h[2]}, {kInfinity, 0.0, 0.0});
  CHECK(std::abs(h[3]) < 1e-15);
}

TEST_CASE("no vector is more similar to itself than 1") {
  for (Dtype dtype : kDtypes)
    for (unsigned seed = 0; seed < 200; ++seed) {
      CAPTURE(seed);
      const Variable r = random({1 + seed % 9}, seed).to(dtype);
      CHECK(cosine_similarity(r, r, 0).item() <= 1.0);
      CHECK(cosine_similarity(r, -r, 0).item() >= -1.0);
    }
}

TEST_CASE("integers are compared by all their digits") {
  constexpr std::int64_t kLarge = (std::int64_t{1} << 53) + 1;
  const Tensor x = Tensor::of<std::int64_t>({3}, {kLarge, kLarge - 1, -kLarge});
  const auto bound = static_cast<double>(kLarge - 1);
  CHECK(eq(x, bound).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 1, 0});
  CHECK(gt(x, bound).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0, 0});
  CHECK(lt(x, -bound).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 0, 1});
  CHECK(lt(x, 0.5).to_vector<std::int64_t>() == std::vector<std::int64_t>{0, 0, 1});
}

}  // namespace unroll::testing
