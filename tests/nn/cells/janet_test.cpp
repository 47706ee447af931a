// JANET against its equations, its two initialisations, and options that make no sense.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer(const nn::JANETOptions& options = {}) {
  nn::Recurrent rnn(nn::JANET(kInputs, kHidden, options));
  randomize(rnn, 1);
  return rnn;
}

/// s and g of one unit.
struct Sums {
  double s, g;
};
Sums sums_of(const HandWeights& w, Index j, const std::vector<double>& x,
             const std::vector<double>& h) {
  const auto sum = [&](Index row) {
    return w.row("weight_ih", row, x) + w.row("weight_hh", row, h) + w.at("bias", row);
  };
  return {sum(j), std::tanh(sum(kHidden + j))};
}

TEST_CASE("a JANET follows its equations") {
  for (const double beta : {1.0, 2.5}) {
    const nn::Recurrent rnn = layer({.beta = beta});
    const HandWeights w(rnn);
    expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
      const std::vector<double> h = state[0];
      for (Index j = 0; j < kHidden; ++j) {
        const auto k = static_cast<std::size_t>(j);
        const auto [s, g] = sums_of(w, j, x, h);
        state[0][k] = logistic(s) * h[k] + (1.0 - logistic(s - beta)) * g;
      }
    });
  }
}

TEST_CASE("a JANET keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::JANET(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("with a beta of 0 a JANET writes what it forgets") {
  const nn::Recurrent rnn = layer({.beta = 0.0});
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    for (Index j = 0; j < kHidden; ++j) {
      const auto k = static_cast<std::size_t>(j);
      const auto [s, g] = sums_of(w, j, x, h);
      state[0][k] = g + logistic(s) * (h[k] - g);
    }
  });
}

TEST_CASE("chrono initialisation spreads the time scales of a JANET up to the longest") {
  constexpr Index kUnits = 400;
  constexpr double kLongest = 100.0;
  seed(3);
  const nn::Recurrent rnn(nn::JANET(1, kUnits, {.max_time_scale = kLongest}));
  const std::vector<double> bias = parameter_of(rnn, "bias").value().to_vector<double>();
  // A gate of sigmoid(b) forgets over 1 / (1 - sigmoid(b)) = 1 + e^b steps.
  double mean_scale = 0.0;
  for (std::size_t j = 0; j < kUnits; ++j) {
    const double scale = 1.0 + std::exp(bias[j]);
    CHECK(scale >= 2.0 - 1e-5);
    CHECK(scale <= kLongest + 1e-3);
    mean_scale += scale / kUnits;
    CHECK(bias[kUnits + j] == 0.0);
  }
  // Uniform over 2..100: the mean of 400 is 51, give or take 28 / 20.
  CHECK(std::abs(mean_scale - 51.0) < 6.0);
}

TEST_CASE("a JANET refuses options that make no sense") {
  expect_error<ArgumentError>([] { nn::JANET(3, 4, {.beta = HUGE_VAL}); },
                              {"JANET", "beta", "inf"});
  expect_error<ArgumentError>([] { nn::JANET(3, 4, {.max_time_scale = 1.5}); },
                              {"JANET", "max_time_scale", "1.5", "at least 2"});
  expect_error<ArgumentError>([] { nn::JANET(3, 4, {.max_time_scale = HUGE_VAL}); },
                              {"JANET", "max_time_scale", "inf"});
  expect_error<ArgumentError>([] { nn::JANET(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
