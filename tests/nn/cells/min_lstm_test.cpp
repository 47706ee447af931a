#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

}  // namespace

TEST_CASE("a minimal LSTM computes its equations") {
  nn::Recurrent rnn(nn::MinLSTM(kInputs, kHidden));
  randomize(rnn, 1);
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    for (Index k = 0; k < kHidden; ++k) {
      const double f = logistic(w.row("forget_gate.weight", k, x) + w.at("forget_gate.bias", k));
      const double i = logistic(w.row("input_gate.weight", k, x) + w.at("input_gate.bias", k));
      const double candidate = w.row("candidate.weight", k, x) + w.at("candidate.bias", k);
      double& h = state[0][static_cast<std::size_t>(k)];
      h = f / (f + i) * h + i / (f + i) * candidate;
    }
  });
}

TEST_CASE("a minimal LSTM keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report = nn::check_cell(nn::MinLSTM(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("the scale of a minimal LSTM does not depend on the length of the sequence") {
  // Whatever the gates are, h is a weighted mean of the candidates: 0.5 here, at the start too.
  nn::Recurrent rnn(nn::MinLSTM(kInputs, kHidden));
  randomize(rnn, 2);
  parameter_of(rnn, "candidate.weight").set(zeros({kHidden, kInputs}, Dtype::float64));
  parameter_of(rnn, "candidate.bias").set(full({kHidden}, 0.5, Dtype::float64));
  const Tensor start = full({2, kHidden}, 0.5, Dtype::float64);
  const Variable outputs = rnn(random({500, 2, kInputs}, 3, -9.0, 9.0), {start}).outputs;
  expect_values(outputs.value(), std::vector<double>(500 * 2 * kHidden, 0.5));
}

TEST_CASE("a minimal LSTM whose gates read negated weights is a minimal GRU") {
  // f + i = 1 then: sigmoid(-a) = 1 - sigmoid(a).
  nn::Recurrent lstm(nn::MinLSTM(kInputs, kHidden));
  randomize(lstm, 4);
  nn::Recurrent gru(nn::MinGRU(kInputs, kHidden));
  for (const std::string part : {"weight", "bias"}) {
    const Variable input = parameter_of(lstm, "input_gate." + part);
    parameter_of(lstm, "forget_gate." + part).set((-input).value());
    parameter_of(gru, "gate." + part).set(input.value());
    parameter_of(gru, "candidate." + part).set(parameter_of(lstm, "candidate." + part).value());
  }
  const Tensor x = random({6, 2, kInputs}, 5);
  expect_close(lstm(x).outputs.value(), gru(x).outputs.value());
}

TEST_CASE("gates of a minimal LSTM that underflow in float32 keep their ratio") {
  nn::Recurrent rnn(nn::MinLSTM(kInputs, kHidden));
  randomize(rnn, 6);
  parameter_of(rnn, "forget_gate.weight").set(zeros({kHidden, kInputs}, Dtype::float64));
  parameter_of(rnn, "input_gate.weight").set(zeros({kHidden, kInputs}, Dtype::float64));
  // e^-200 and e^-201
  parameter_of(rnn, "forget_gate.bias").set(full({kHidden}, -200.0, Dtype::float64));
  parameter_of(rnn, "input_gate.bias").set(full({kHidden}, -201.0, Dtype::float64));
  rnn.to(Dtype::float32);
  const double forget = 1.0 / (1.0 + std::exp(-1.0));
  const nn::State start{ones({1, kHidden})};
  parameter_of(rnn, "candidate.weight").set(zeros({kHidden, kInputs}));
  parameter_of(rnn, "candidate.bias").set(zeros({kHidden}));
  Tape tape;
  const Variable x = tape.watch(narrow({1, 1, kInputs}, 7));
  const Variable outputs = rnn(x, start).outputs;
  expect_values(outputs.value(), std::vector<double>(kHidden, forget), 1e-5);
  const Gradients gradients = tape.gradients(sum(outputs));
  // d f/(f+i) / d log f
  expect_values(gradients[parameter_of(rnn, "forget_gate.bias")].value(),
                std::vector<double>(kHidden, forget * (1.0 - forget)), 1e-5);
}

TEST_CASE("a minimal LSTM refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::MinLSTM(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::MinLSTM(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
