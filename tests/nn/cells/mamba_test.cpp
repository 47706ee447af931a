#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

#include "support/expect.hpp"
#include "support/linear_cells.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("a selective state space model computes the equations of the paper") {
  constexpr Index kSteps = 5, kBatch = 2, kChannels = 3, kState = 4, kRank = 2;
  const nn::Recurrent rnn = wide(
      nn::Recurrent(nn::SelectiveSSM(kChannels, {.state = kState, .rank = kRank, .max_delta = 2})));
  const Tensor x = random({kSteps, kBatch, kChannels}, 1);
  const auto x_proj = numbers_of(rnn, "x_proj.weight");
  const auto dt_proj = numbers_of(rnn, "dt_proj.weight");
  const auto dt_bias = numbers_of(rnn, "dt_proj.bias");
  const auto a_log = numbers_of(rnn, "A_log"), skip = numbers_of(rnn, "D");
  const auto [outputs, state] = rnn(x);
  CHECK(outputs.shape() == Shape{kSteps, kBatch, kChannels});
  CHECK(state[0].shape() == Shape{kBatch, kChannels, kState});
  for (Index b = 0; b < kBatch; ++b) {
    std::vector<double> h(kChannels * kState, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      const std::vector<double> xt = input_at(x, t, b);
      std::vector<double> low;
      for (Index r = 0; r < kRank; ++r) low.push_back(product_row(x_proj, r, xt));
      for (Index d = 0; d < kChannels; ++d) {
        const auto channel = static_cast<std::size_t>(d);
        const double delta = std::log1p(std::exp(product_row(dt_proj, d, low) + dt_bias[channel]));
        double y = skip[channel] * xt[channel];
        for (Index n = 0; n < kState; ++n) {
          const auto at = static_cast<std::size_t>(d * kState + n);
          const double input = product_row(x_proj, kRank + n, xt);
          const double output = product_row(x_proj, kRank + kState + n, xt);
          h[at] = std::exp(-delta * std::exp(a_log[at])) * h[at] + delta * input * xt[channel];
          y += output * h[at];
        }
        CHECK(distance(outputs.value().at({t, b, d}), y) < 1e-12);
      }
    }
    for (Index d = 0; d < kChannels; ++d)
      for (Index n = 0; n < kState; ++n)
        CHECK(distance(state[0].value().at({b, d, n}),
                       h[static_cast<std::size_t>(d * kState + n)]) < 1e-12);
  }
}

TEST_CASE("a selective state space model keeps the contract, in all forms") {
  const nn::CellReport report = nn::check_cell(nn::SelectiveSSM(2, {.state = 3}));
  CHECK_MESSAGE(report, report.to_string());
  expect_one_definition(nn::Recurrent(nn::SelectiveSSM(2, {.state = 3})));
}

TEST_CASE("a selective state space model remembers what it selects and ignores the rest") {
  // One channel whose delta is large for inputs above 1/2 and nearly 0 below: it holds the last
  // input that was large.
  nn::SelectiveSSM cell(1, {.state = 1, .rank = 1});
  for (const nn::Module::Named& named : cell.named_parameters()) {
    Parameter parameter = named.parameter;
    if (named.name == "x_proj.weight") parameter.set(Tensor::of<float>({3, 1}, {1, 1, 1}));
    if (named.name == "dt_proj.weight") parameter.set(full({1, 1}, 60.0));
    if (named.name == "dt_proj.bias") parameter.set(full({1}, -30.0));
    if (named.name == "D") parameter.set(zeros({1}));
  }
  const nn::Recurrent rnn(cell);
  const Tensor x = Tensor::of<float>({6, 1, 1}, {1.0F, 0.1F, -0.1F, 0.9F, 0.2F, 0.0F});
  const Tensor h = concat({rnn(x.slice(0, 0, 1)).state[0], rnn(x.slice(0, 0, 3)).state[0],
                           rnn(x.slice(0, 0, 4)).state[0], rnn(x).state[0]},
                          0)
                       .value();
  // delta = 30 at an input of 1, 24 at 0.9; h = delta x^2.
  expect_values(h, {30.0, 30.0, 24.0 * 0.81, 24.0 * 0.81}, 1e-4);
}

TEST_CASE("the first values of a selective state space model are those of the paper") {
  constexpr Index kChannels = 40, kState = 4;
  const nn::Recurrent rnn(nn::SelectiveSSM(kChannels, {.state = kState}));
  const auto a_log = numbers_of(rnn, "A_log");
  for (std::size_t i = 0; i < a_log.size(); ++i)
    CHECK(std::exp(a_log[i]) == doctest::Approx(static_cast<double>(i % kState) + 1.0));
  for (const double bias : numbers_of(rnn, "dt_proj.bias")) {
    const double delta = std::log1p(std::exp(bias));
    CHECK(delta > 0.999e-3);
    CHECK(delta < 0.1001);
  }
  for (const double d : numbers_of(rnn, "D")) CHECK(d == 1.0);
  CHECK(numbers_of(rnn, "dt_proj.weight").size() == kChannels * 3);  // ceil(40 / 16)
}

TEST_CASE("a selective state space model refuses sizes and time steps out of range") {
  expect_error<ArgumentError>([] { nn::SelectiveSSM(2, {.state = 0}); }, {"state size"});
  expect_error<ArgumentError>([] { nn::SelectiveSSM(2, {.rank = -1}); },
                              {"SelectiveSSM", "rank", "-1"});
  expect_error<ArgumentError>([] { nn::SelectiveSSM(2, {.min_delta = 0.2}); },
                              {"SelectiveSSM", "min_delta <= max_delta", "0.2", "0.1"});
  expect_error<ArgumentError>([] { nn::SelectiveSSM(0); }, {"inputs", "at least 1"});
}

}  // namespace unroll::testing
