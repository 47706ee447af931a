#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/expect.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// The numbers lie within +-bound, reach nearly that far, and have a uniform distribution's
/// moments.
void check_uniform(const Tensor& x, double bound) {
  std::vector<double> values = x.to_vector<double>();
  REQUIRE(values.size() >= 10000);
  const auto n = static_cast<double>(values.size());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  CHECK(*low >= -bound);
  CHECK(*high <= bound);
  CHECK(*low < -0.99 * bound);
  CHECK(*high > 0.99 * bound);
  const Tensor exact = x.to(Dtype::float64);
  const double variance = bound * bound / 3.0;
  CHECK(std::abs(mean(exact).item()) < 5.0 * std::sqrt(variance / n));
  CHECK(mean(square(exact)).item() == doctest::Approx(variance).epsilon(0.05));
}

}  // namespace

TEST_CASE("pytorch_default fills +-1/sqrt(fan_in)") {
  seed(1);
  check_uniform(nn::init::pytorch_default({200, 100}, 25), 0.2);
}

TEST_CASE("xavier_uniform fills +-sqrt(6 / (fan_in + fan_out))") {
  seed(2);
  check_uniform(nn::init::xavier_uniform({300, 100}), std::sqrt(6.0 / 400.0));
}

TEST_CASE("the weights of a recurrent cell fill +-1/sqrt(hidden), biases too") {
  seed(3);
  const nn::LSTM cell(100, 64);
  for (const Parameter& parameter : cell.parameters()) {
    const auto values = parameter.value().to_vector<double>();
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    CHECK(*low >= -0.125);
    CHECK(*high <= 0.125);
    CHECK(*high - *low > 0.24);
  }
}

TEST_CASE("one seed gives one model, and the next model is another one") {
  const auto weights = [] { return nn::LSTM(3, 4).parameters()[1].value().to_vector<float>(); };
  seed(4);
  const auto first = weights();
  const auto second = weights();
  seed(4);
  CHECK(weights() == first);
  CHECK_FALSE(first == second);
  seed(5);
  CHECK_FALSE(weights() == first);
}

TEST_CASE("shapes and counts that have no such distribution are refused") {
  expect_error<ArgumentError>(
      [] {
        nn::init::pytorch_default({2, 2}, 0);
      },
      {"init", "at least 1", "0"});
  expect_error<ShapeError>([] { nn::init::xavier_uniform({4}); }, {"xavier_uniform", "[4]"});
  expect_error<ShapeError>([] { nn::init::xavier_uniform({0, 0}); }, {"xavier_uniform", "[0,0]"});
}
