// MinimalRNN against its equations, and what its gate does at either end.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer() {
  nn::Recurrent rnn(nn::MinimalRNN(kInputs, kHidden));
  randomize(rnn, 1);
  return rnn;
}

/// z of one input.
std::vector<double> mapped(const HandWeights& w, const std::vector<double>& x) {
  std::vector<double> z;
  for (Index j = 0; j < kHidden; ++j)
    z.push_back(std::tanh(w.row("weight_ih", j, x) + w.at("bias_ih", j)));
  return z;
}

TEST_CASE("a MinimalRNN follows its equations") {
  const nn::Recurrent rnn = layer();
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    const std::vector<double> z = mapped(w, x);
    for (Index j = 0; j < kHidden; ++j) {
      const auto k = static_cast<std::size_t>(j);
      const double u =
          logistic(w.row("weight_hh", j, h) + w.row("weight_zh", j, z) + w.at("bias_zh", j));
      state[0][k] = u * h[k] + (1.0 - u) * z[k];
    }
  });
}

TEST_CASE("a MinimalRNN keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::MinimalRNN(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a MinimalRNN whose gate is open keeps its state") {
  const nn::Recurrent rnn = layer();
  parameter_of(rnn, "bias_zh").set(full({kHidden}, 1000.0, Dtype::float64));
  const Tensor h = random({2, kHidden}, 6);
  expect_close(rnn(random({20, 2, kInputs}, 7), {h}).state[0].value(), h, 0.0);
}

TEST_CASE("a MinimalRNN whose gate is closed outputs the mapped input") {
  const nn::Recurrent rnn = layer();
  parameter_of(rnn, "bias_zh").set(full({kHidden}, -1000.0, Dtype::float64));
  const HandWeights w(rnn);
  expect_by_hand(rnn,
                 [&](const std::vector<double>& x, HandState& state) { state[0] = mapped(w, x); });
}

TEST_CASE("the state of a MinimalRNN stays in the space of the mapped inputs") {
  const nn::Recurrent rnn = layer();
  const Variable outputs = rnn(random({50, 2, kInputs}, 8, -100.0, 100.0)).outputs;
  CHECK(max(abs(outputs)).item() <= 1.0);
}

TEST_CASE("a MinimalRNN refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::MinimalRNN(0, 4); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::MinimalRNN(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
