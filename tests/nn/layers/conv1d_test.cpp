#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/conv1d.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// The sums of the definition, with `before` and `after` zeros at the ends of x.
std::vector<double> by_hand(const nn::Conv1d& layer, const Tensor& x,
                            const nn::Conv1dLayerOptions& options, Index before, Index after) {
  const Tensor& weight = layer.weight().value();
  const Index taps = weight.size(2);
  const Index inputs = weight.size(1);  // of a group
  const Index outputs = weight.size(0);
  const Index span = options.dilation * (taps - 1);
  std::vector<double> y;
  for (Index t = 0; t + span < x.size(0) + before + after; t += options.stride)
    for (Index b = 0; b < x.size(1); ++b)
      for (Index o = 0; o < outputs; ++o) {
        const Index group = o / (outputs / options.groups);
        double total = layer.bias() ? layer.bias()->value().at({o}) : 0.0;
        for (Index i = 0; i < inputs; ++i)
          for (Index k = 0; k < taps; ++k)
            if (const Index at = t + k * options.dilation - before; at >= 0 && at < x.size(0))
              total += weight.at({o, i, k}) * x.at({at, b, group * inputs + i});
        y.push_back(total);
      }
  return y;
}

}  // namespace

TEST_CASE("Conv1d is the sum of its definition for every padding, stride, dilation and group") {
  const Tensor x = random({11, 2, 4}, 1);
  for (const Index kernel : {1, 2, 3, 4})
    for (const Index stride : {1, 2, 3})
      for (const Index dilation : {1, 3})
        for (const Index groups : {1, 2})
          for (const auto padding :
               {nn::Conv1dPadding::valid, nn::Conv1dPadding::same, nn::Conv1dPadding::causal}) {
            if (padding == nn::Conv1dPadding::same && stride != 1) continue;
            CAPTURE(kernel);
            CAPTURE(stride);
            CAPTURE(dilation);
            CAPTURE(groups);
            const nn::Conv1dLayerOptions options{
                .padding = padding, .stride = stride, .dilation = dilation, .groups = groups};
            nn::Conv1d layer(4, 6, kernel, options);
            layer.to(Dtype::float64);
            const Index span = dilation * (kernel - 1);
            Index before = 0;
            Index after = 0;
            Index count = (11 - span - 1) / stride + 1;
            if (padding == nn::Conv1dPadding::same) {
              before = span / 2;
              after = span - before;
              count = 11;
            } else if (padding == nn::Conv1dPadding::causal) {
              before = span;
              count = 10 / stride + 1;
            }
            const Variable y = layer(x);
            CHECK(y.shape() == Shape{count, 2, 6});
            expect_values(y.value(), by_hand(layer, x, options, before, after));
          }
}

TEST_CASE("a causal Conv1d is a TimeDelay layer") {
  nn::Conv1d convolution(3, 2, 4, {.padding = nn::Conv1dPadding::causal});
  nn::TimeDelay delays(3, 2, {.delays = {3, 2, 1, 0}});
  std::vector<Parameter> to = delays.parameters();
  to[0].set(permute(convolution.weight().value(), {0, 2, 1}).value().contiguous());
  to[1].set(convolution.bias()->value());
  const Tensor x = narrow({6, 2, 3}, 2);
  expect_close(convolution(x).value(), delays(x).value(), 1e-6);
}

TEST_CASE("an output of a causal Conv1d depends on no later step") {
  const nn::Conv1d layer(2, 2, 3, {.padding = nn::Conv1dPadding::causal, .dilation = 2});
  const Tensor x = narrow({8, 1, 2}, 3);
  Tensor changed = x.clone();
  changed.mutable_data<float>()[5 * 2] += 1.0F;  // step 5
  const Tensor difference = abs(layer(x) - layer(changed)).value();
  for (Index t = 0; t < 8; ++t) {
    CAPTURE(t);
    const bool reads = t == 5 || t == 7;  // and 9
    CHECK((sum(difference.select(0, t)).item() > 0.0) == reads);
  }
}

TEST_CASE("Conv1d starts within +-1/sqrt(the inputs of an output) and has no bias on request") {
  seed(1);
  const nn::Conv1d layer(20, 40, 10, {.groups = 2, .bias = false});
  CHECK(layer.parameters().size() == 1);
  const auto values = layer.weight().value().to_vector<double>();
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  CHECK(*low >= -0.1);
  CHECK(*high <= 0.1);
  CHECK(*high - *low > 0.199);
}

TEST_CASE("the gradients of Conv1d agree with finite differences") {
  for (const auto padding :
       {nn::Conv1dPadding::valid, nn::Conv1dPadding::same, nn::Conv1dPadding::causal})
    for (const Index groups : {1, 2}) {
      const nn::Conv1d layer(2, 4, 3, {.padding = padding, .groups = groups});
      const auto report = nn::gradcheck(
          layer, [&](std::span<const Variable> x) { return layer(x[0]); }, {random({6, 2, 2}, 4)});
      CHECK_MESSAGE(report.passed, report.to_string());
    }
}

TEST_CASE("Conv1d refuses options without a meaning") {
  expect_error<ArgumentError>([] { nn::Conv1d(0, 1, 1); }, {"conv1d", "at least 1", "0"});
  expect_error<ArgumentError>([] { nn::Conv1d(1, 1, 0); }, {"conv1d", "kernel", "0"});
  expect_error<ArgumentError>([] { nn::Conv1d(1, 1, 1, {.stride = 0}); }, {"conv1d", "stride"});
  expect_error<ArgumentError>([] { nn::Conv1d(1, 1, 1, {.dilation = -1}); }, {"dilation", "-1"});
  expect_error<ArgumentError>([] { nn::Conv1d(4, 3, 1, {.groups = 2}); },
                              {"conv1d", "2 groups", "4 and 3"});
  expect_error<ArgumentError>(
      [] { nn::Conv1d(1, 1, 3, {.padding = nn::Conv1dPadding::same, .stride = 2}); },
      {"conv1d", "same", "stride of 2", "causal"});
}

TEST_CASE("Conv1d refuses sequences that do not fit") {
  const nn::Conv1d layer(3, 2, 4, {.dilation = 2});
  expect_error<ShapeError>([&] { layer(ones({9, 2, 4})); }, {"conv1d", "[9,2,4]", "[T,B,3]"});
  expect_error<ShapeError>([&] { layer(ones({9, 3})); }, {"conv1d", "[9,3]", "[T,B,3]"});
  expect_error<ShapeError>([&] { layer(ones({6, 2, 3})); }, {"conv1d", "7 steps", "[6,2,3]"});
  const nn::Conv1d causal(3, 2, 4, {.padding = nn::Conv1dPadding::causal});
  CHECK(causal(ones({1, 2, 3})).shape() == Shape{1, 2, 2});
  expect_error<ShapeError>([&] { causal(ones({0, 2, 3})); }, {"conv1d", "T at least 1"});
}

}  // namespace unroll::testing
