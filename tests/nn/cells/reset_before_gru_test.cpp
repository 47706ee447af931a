#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

/// nn::GRU with the weights of the other; its candidate has no bias behind the reset gate.
nn::Recurrent reset_after(const nn::Recurrent& before) {
  nn::Recurrent gru(nn::GRU(kInputs, kHidden));
  parameter_of(gru, "weight_ih").set(parameter_of(before, "weight_ih").value());
  parameter_of(gru, "bias_ih").set(parameter_of(before, "bias").value());
  parameter_of(gru, "weight_hh")
      .set(concat({parameter_of(before, "weight_hh"), parameter_of(before, "weight_hn")}, 0)
               .value());
  parameter_of(gru, "bias_hh").set(zeros({3 * kHidden}, Dtype::float64));
  return gru;
}

double largest_difference(const nn::Recurrent& a, const nn::Recurrent& b) {
  const Tensor x = random({6, 2, kInputs}, 3);
  return max(abs(a(x).outputs - b(x).outputs)).item();
}

}  // namespace

TEST_CASE("a GRU with the reset gate before the product computes its equations") {
  nn::Recurrent rnn(nn::ResetBeforeGRU(kInputs, kHidden));
  randomize(rnn, 1);
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    const auto input = [&](Index gate, Index k) {
      return w.row("weight_ih", gate * kHidden + k, x) + w.at("bias", gate * kHidden + k);
    };
    std::vector<double> kept = h;  // r h
    for (Index k = 0; k < kHidden; ++k)
      kept[static_cast<std::size_t>(k)] *= logistic(input(0, k) + w.row("weight_hh", k, h));
    for (Index k = 0; k < kHidden; ++k) {
      const auto unit = static_cast<std::size_t>(k);
      const double z = logistic(input(1, k) + w.row("weight_hh", kHidden + k, h));
      const double n = std::tanh(input(2, k) + w.row("weight_hn", k, kept));
      state[0][unit] = z * h[unit] + (1.0 - z) * n;
    }
  });
}

TEST_CASE("a GRU with the reset gate before the product keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report = nn::check_cell(nn::ResetBeforeGRU(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("the reset gate before and after the product agree only for a diagonal matrix") {
  nn::Recurrent rnn(nn::ResetBeforeGRU(kInputs, kHidden));
  randomize(rnn, 2);
  CHECK(largest_difference(rnn, reset_after(rnn)) > 1e-3);
  Tensor diagonal = zeros({kHidden, kHidden}, Dtype::float64);
  for (Index k = 0; k < kHidden; ++k)
    diagonal.in_place<double>()[k * kHidden + k] = 0.3 + 0.2 * static_cast<double>(k);
  parameter_of(rnn, "weight_hn").set(diagonal);
  CHECK(largest_difference(rnn, reset_after(rnn)) < 1e-12);
}

TEST_CASE("an update gate of 1 keeps the state") {
  nn::Recurrent rnn(nn::ResetBeforeGRU(kInputs, kHidden));
  randomize(rnn, 4);
  Tensor bias = zeros({3 * kHidden}, Dtype::float64);
  for (Index k = kHidden; k < 2 * kHidden; ++k) bias.in_place<double>()[k] = 50.0;
  parameter_of(rnn, "bias").set(bias);
  const Tensor start = random({2, kHidden}, 5);
  expect_close(rnn(random({20, 2, kInputs}, 6), {start}).state[0].value(), start);
}

TEST_CASE("a GRU with the reset gate before the product refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::ResetBeforeGRU(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::ResetBeforeGRU(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
