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

}  // namespace

TEST_CASE("a peephole LSTM computes its equations with and without a squashed output") {
  for (const bool squash : {true, false}) {
    nn::Recurrent rnn(nn::PeepholeLSTM(kInputs, kHidden, {.squash_output = squash}));
    randomize(rnn, 1);
    const HandWeights w(rnn);
    expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
      const std::vector<double> h = state[0];
      for (Index k = 0; k < kHidden; ++k) {
        const auto net = [&](Index gate) {
          const Index row = gate * kHidden + k;
          return w.row("weight_ih", row, x) + w.row("weight_hh", row, h) + w.at("bias", row);
        };
        double& c = state[1][static_cast<std::size_t>(k)];
        const double i = logistic(net(0) + w.at("weight_ci", k) * c);
        const double f = logistic(net(1) + w.at("weight_cf", k) * c);
        c = f * c + i * std::tanh(net(2));
        const double o = logistic(net(3) + w.at("weight_co", k) * c);
        state[0][static_cast<std::size_t>(k)] = o * (squash ? std::tanh(c) : c);
      }
    });
  }
}

TEST_CASE("a peephole LSTM keeps the contract of a cell") {
  seed(1);
  for (const bool squash : {true, false}) {
    const nn::CellReport report =
        nn::check_cell(nn::PeepholeLSTM(kInputs, kHidden, {.squash_output = squash}));
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("with peephole weights of 0 a peephole LSTM is an LSTM") {
  nn::Recurrent peephole(nn::PeepholeLSTM(kInputs, kHidden));
  randomize(peephole, 2);
  for (const char* name : {"weight_ci", "weight_cf", "weight_co"})
    parameter_of(peephole, name).set(zeros({kHidden}, Dtype::float64));
  nn::Recurrent lstm(nn::LSTM(kInputs, kHidden));
  for (const char* name : {"weight_ih", "weight_hh"})
    parameter_of(lstm, name).set(parameter_of(peephole, name).value());
  parameter_of(lstm, "bias_ih").set(parameter_of(peephole, "bias").value());
  parameter_of(lstm, "bias_hh").set(zeros({4 * kHidden}, Dtype::float64));
  const Tensor x = random({6, 2, kInputs}, 3);
  expect_close(peephole(x).outputs.value(), lstm(x).outputs.value());
}

TEST_CASE("peepholes show the gates a cell state that the output gate hides") {
  // The output gate is closed at every step, so h is 0, yet a cell oscillates: a state above 0
  // closes the forget gate, and the candidate fills the cell again when it is empty.
  nn::Recurrent rnn(nn::PeepholeLSTM(1, 1, {.squash_output = false}));
  const auto set = [&](const char* name, const Shape& shape, const std::vector<double>& values) {
    parameter_of(rnn, name).set(Tensor::of<double>(shape, values));
  };
  constexpr double kHuge = 1000.0;
  set("weight_ih", {4, 1}, {0.0, 0.0, 0.0, 0.0});
  set("weight_hh", {4, 1}, {0.0, 0.0, 0.0, 0.0});
  set("bias", {4}, {kHuge / 4.0, kHuge / 4.0, kHuge, -kHuge});  // i, f, g, o
  set("weight_ci", {1}, {-kHuge});
  set("weight_cf", {1}, {-kHuge});
  set("weight_co", {1}, {0.0});
  nn::State state = rnn.cell().initial_state(1, Dtype::float64);
  for (int t = 0; t < 6; ++t) {
    const auto [outputs, next] = rnn(zeros({1, 1, 1}, Dtype::float64), state);
    expect_values(outputs.value(), {0.0});
    expect_values(next[1].value(), {t % 2 == 0 ? 1.0 : 0.0});
    state = next;
  }
}

TEST_CASE("a peephole LSTM refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::PeepholeLSTM(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::PeepholeLSTM(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
