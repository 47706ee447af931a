#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/layer_norm.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("LayerNorm computes its definition for each vector") {
  nn::LayerNorm layer(4, {.epsilon = 0.01});
  layer.to(Dtype::float64);
  Parameter weight = *layer.weight();
  Parameter bias = *layer.bias();
  weight.set(random({4}, 1));
  bias.set(random({4}, 2));
  const Tensor x = random({2, 3, 4}, 3);
  const std::vector<double> in = x.to_vector<double>();
  const std::vector<double> scale = weight.value().to_vector<double>();
  const std::vector<double> shift = bias.value().to_vector<double>();
  std::vector<double> expected;
  for (std::size_t row = 0; row < 6; ++row) {
    double average = 0.0;
    double variance = 0.0;
    for (std::size_t d = 0; d < 4; ++d) average += in[row * 4 + d] / 4.0;
    for (std::size_t d = 0; d < 4; ++d) variance += std::pow(in[row * 4 + d] - average, 2.0) / 4.0;
    for (std::size_t d = 0; d < 4; ++d)
      expected.push_back((in[row * 4 + d] - average) / std::sqrt(variance + 0.01) * scale[d] +
                         shift[d]);
  }
  const Variable y = layer(x);
  CHECK(y.shape() == x.shape());
  expect_values(y.value(), expected);
}

TEST_CASE("LayerNorm starts as the identity on normalised vectors, with PyTorch's names") {
  const nn::LayerNorm layer(3);
  REQUIRE(layer.named_parameters().size() == 2);
  CHECK(layer.named_parameters()[0].name == "weight");
  CHECK(layer.named_parameters()[1].name == "bias");
  const Tensor x = Tensor::of<float>({1, 3}, {-1.0F, 0.0F, 1.0F});
  expect_close(layer(x).value(), (std::sqrt(1.5) * Variable(x)).value(), 1e-4);
}

TEST_CASE("LayerNorm does not see the scale and the offset of its input") {
  const nn::LayerNorm layer(5, {.epsilon = 0.0, .scale = false, .bias = false});
  CHECK(layer.parameters().empty());
  const Variable x = random({2, 5}, 4);
  expect_close(layer(100.0 * x + 7.0).value(), layer(x).value(), 1e-11);
}

TEST_CASE("the gradients of LayerNorm agree with finite differences") {
  for (const bool scale : {true, false})
    for (const bool bias : {true, false}) {
      const nn::LayerNorm layer(4, {.scale = scale, .bias = bias});
      const auto report = nn::gradcheck(
          layer, [&](std::span<const Variable> x) { return layer(x[0]); }, {random({3, 4}, 5)});
      CHECK_MESSAGE(report.passed, report.to_string());
    }
}

TEST_CASE("LayerNorm refuses sizes and epsilons without a meaning, and other vectors") {
  expect_error<ArgumentError>([] { nn::LayerNorm(0); }, {"layer_norm", "at least 1", "0"});
  expect_error<ArgumentError>([] { nn::LayerNorm(2, {.epsilon = -1.0}); }, {"epsilon", "-1"});
  expect_error<ArgumentError>([] { nn::LayerNorm(2, {.epsilon = NAN}); }, {"epsilon", "nan"});
  const nn::LayerNorm bare(3, {.scale = false, .bias = false});
  expect_error<ShapeError>([&] { bare(ones({3, 2})); }, {"layer_norm", "[3,2]", "[...,3]"});
  expect_error<ShapeError>([&] { bare(Variable()); }, {"layer_norm", "[...,3]"});
}

}  // namespace unroll::testing
