#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/linear_cells.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("an SRU computes the equations of the paper, also where inputs and units differ") {
  constexpr Index kSteps = 5, kBatch = 2, kInputs = 3;
  for (const Index hidden : {Index{4}, kInputs})
    for (const bool scaled : {false, true}) {
      CAPTURE(hidden);
      const double bias = -0.7;
      const double alpha = scaled ? std::sqrt(1.0 + 2.0 * std::exp(bias)) : 1.0;
      const nn::Recurrent rnn = wide(nn::Recurrent(
          nn::SRU(kInputs, hidden, {.highway_bias = bias, .scaled_highway = scaled})));
      const Tensor x = random({kSteps, kBatch, kInputs}, 1);
      const auto w = numbers_of(rnn, "weight"), biases = numbers_of(rnn, "bias");
      const auto [outputs, state] = rnn(x);
      for (Index b = 0; b < kBatch; ++b)
        for (Index k = 0; k < hidden; ++k) {
          double c = 0.0;
          for (Index t = 0; t < kSteps; ++t) {
            const std::vector<double> xt = input_at(x, t, b);
            const auto bias_of = [&](Index i) { return biases[static_cast<std::size_t>(i)]; };
            const double f = logistic(product_row(w, hidden + k, xt) + bias_of(k));
            const double r = logistic(product_row(w, 2 * hidden + k, xt) + bias_of(hidden + k));
            c = f * c + (1.0 - f) * product_row(w, k, xt);
            const double skipped = hidden == kInputs ? xt[static_cast<std::size_t>(k)]
                                                     : product_row(w, 3 * hidden + k, xt);
            const double y = r * c + (1.0 - r) * alpha * skipped;
            CHECK(distance(outputs.value().at({t, b, k}), y) < 1e-12);
          }
          CHECK(distance(state[0].value().at({b, k}), c) < 1e-12);
        }
    }
}

TEST_CASE("an SRU keeps the contract, in all forms") {
  for (const Index hidden : {2, 3}) {
    const nn::CellReport report = nn::check_cell(nn::SRU(2, hidden));
    CHECK_MESSAGE(report, report.to_string());
    expect_one_definition(nn::Recurrent(nn::SRU(2, hidden)));
  }
}

TEST_CASE("an SRU whose reset gate is closed passes its input on") {
  const nn::Recurrent rnn(nn::SRU(3, 3, {.highway_bias = -200.0}));
  const Tensor x = random({4, 2, 3}, 2).to(Dtype::float32);
  expect_close(rnn(x).outputs.value(), x, 1e-6);
}

TEST_CASE("a scaled highway keeps the variance of the output near that of the input") {
  seed(3);
  constexpr Index kSize = 64;
  const Tensor x = normal({50, 8, kSize}, 0.0, 1.0);
  const auto variance_of = [&](bool scaled) {
    const nn::Recurrent rnn(nn::SRU(kSize, kSize, {.scaled_highway = scaled}));
    return mean(square(rnn(x).outputs)).item();
  };
  CHECK(variance_of(false) < 0.6);
  CHECK(variance_of(true) == doctest::Approx(1.0).epsilon(0.2));
}

TEST_CASE("an SRU refuses a bias that is no number") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_error<ArgumentError>([&] { nn::SRU(2, 3, {.highway_bias = nan}); },
                              {"SRU", "highway_bias", "finite"});
  expect_error<ArgumentError>([] { nn::SRU(2, 0); }, {"state size", "at least 1"});
}

}  // namespace unroll::testing
