#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/bilinear.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// a^T W_o b + bias_o for rows of a and b.
std::vector<double> by_hand(const Tensor& a, const Tensor& b, const Tensor& weight,
                            const std::vector<double>& bias) {
  std::vector<double> y;
  for (Index n = 0; n < a.size(0); ++n)
    for (Index o = 0; o < weight.size(0); ++o) {
      double total = bias.empty() ? 0.0 : bias[static_cast<std::size_t>(o)];
      for (Index i = 0; i < weight.size(1); ++i)
        for (Index j = 0; j < weight.size(2); ++j)
          total += a.at({n, i}) * weight.at({o, i, j}) * b.at({n, j});
      y.push_back(total);
    }
  return y;
}

}  // namespace

TEST_CASE("Bilinear computes a^T W b + bias") {
  nn::Bilinear layer(3, 4, 2);
  layer.to(Dtype::float64);
  const Tensor a = random({5, 3}, 1);
  const Tensor b = random({5, 4}, 2);
  const auto expected =
      by_hand(a, b, layer.weight().value(), layer.bias()->value().to_vector<double>());
  expect_values(layer(a, b).value(), expected);
  const Variable deep = layer(a.reshape({5, 1, 3}), b.reshape({5, 1, 4}));
  CHECK(deep.shape() == Shape{5, 1, 2});
  expect_values(deep.value(), expected);
}

TEST_CASE("Bilinear without bias is linear in each argument") {
  nn::Bilinear layer(3, 4, 2, {.bias = false});
  layer.to(Dtype::float64);
  CHECK_FALSE(layer.bias().has_value());
  const Variable a = random({5, 3}, 3);
  const Variable b = random({5, 4}, 4);
  expect_close(layer(2.0 * a, -3.0 * b).value(), (-6.0 * layer(a, b)).value());
}

TEST_CASE("Bilinear starts within +-1/sqrt of its first size") {
  seed(1);
  const nn::Bilinear layer(25, 10, 40);
  const auto values = layer.weight().value().to_vector<double>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  CHECK(*low >= -0.2);
  CHECK(*high <= 0.2);
  CHECK(*high - *low > 0.398);
}

TEST_CASE("the gradients of Bilinear agree with finite differences") {
  const nn::Bilinear layer(3, 4, 2);
  const auto report =
      nn::gradcheck(layer, [&](std::span<const Variable> x) { return layer(x[0], x[1]); },
                    {random({5, 3}, 5), random({5, 4}, 6)});
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("Bilinear refuses sizes below 1 and inputs of another width") {
  expect_error<ArgumentError>([] { nn::Bilinear(0, 2, 3); }, {"bilinear", "at least 1", "0"});
  expect_error<ArgumentError>([] { nn::Bilinear(2, -1, 3); }, {"bilinear", "-1"});
  expect_error<ArgumentError>([] { nn::Bilinear(2, 2, 0); }, {"bilinear", "0"});
  expect_error<ShapeError>(
      [] {
        nn::Bilinear(3, 4, 2)(ones({5, 3}), ones({5, 3}));
      },
      {"bilinear", "[5,3]", "[2,3,4]"});
}

}  // namespace unroll::testing
