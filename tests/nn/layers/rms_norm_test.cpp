#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/rms_norm.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("RMSNorm computes its definition for each vector") {
  nn::RMSNorm layer(4, {.epsilon = 0.01});
  layer.to(Dtype::float64);
  Parameter weight = *layer.weight();
  weight.set(random({4}, 1));
  const Tensor x = random({2, 3, 4}, 2);
  const std::vector<double> in = x.to_vector<double>();
  const std::vector<double> scale = weight.value().to_vector<double>();
  std::vector<double> expected;
  for (std::size_t row = 0; row < 6; ++row) {
    double mean_square = 0.0;
    for (std::size_t d = 0; d < 4; ++d) mean_square += in[row * 4 + d] * in[row * 4 + d] / 4.0;
    for (std::size_t d = 0; d < 4; ++d)
      expected.push_back(in[row * 4 + d] / std::sqrt(mean_square + 0.01) * scale[d]);
  }
  const Variable y = layer(x);
  CHECK(y.shape() == x.shape());
  expect_values(y.value(), expected);
}

TEST_CASE("RMSNorm does not see the scale of its input, but its offset") {
  const nn::RMSNorm layer(5, {.epsilon = 0.0, .scale = false});
  CHECK(layer.parameters().empty());
  const Variable x = random({2, 5}, 3);
  expect_close(layer(100.0 * x).value(), layer(x).value());
  CHECK(max(abs(layer(x + 7.0) - layer(x))).item() > 0.1);
}

TEST_CASE("RMSNorm is LayerNorm for vectors of mean 0") {
  const Variable x = random({3, 6}, 4);
  const Variable centred = x - mean(x, {1}, true);
  const nn::RMSNorm layer(6, {.scale = false});
  expect_close(layer(centred).value(), layer_norm(centred).value());
}

TEST_CASE("the gradients of RMSNorm agree with finite differences") {
  for (const bool scale : {true, false}) {
    const nn::RMSNorm layer(4, {.scale = scale});
    const auto report = nn::gradcheck(
        layer, [&](std::span<const Variable> x) { return layer(x[0]); }, {random({3, 4}, 5)});
    CHECK_MESSAGE(report.passed, report.to_string());
  }
}

TEST_CASE("RMSNorm refuses sizes and epsilons without a meaning, and other vectors") {
  expect_error<ArgumentError>([] { nn::RMSNorm(-1); }, {"rms_norm", "at least 1", "-1"});
  expect_error<ArgumentError>([] { nn::RMSNorm(2, {.epsilon = -1.0}); }, {"rms_norm", "-1"});
  expect_error<ArgumentError>([] { nn::RMSNorm(2, {.epsilon = NAN}); }, {"rms_norm", "nan"});
  const nn::RMSNorm bare(3, {.scale = false});
  expect_error<ShapeError>([&] { bare(ones({3, 2})); }, {"rms_norm", "[3,2]", "[...,3]"});
  expect_error<ShapeError>([&] { bare(Variable()); }, {"rms_norm", "[...,3]"});
}

}  // namespace unroll::testing
