#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

}  // namespace

TEST_CASE("a coupled LSTM computes its equations") {
  nn::Recurrent rnn(nn::CoupledLSTM(kInputs, kHidden));
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
      const double f = logistic(net(0));
      const double i = 1.0 - f;
      c = f * c + i * std::tanh(net(1));
      state[0][static_cast<std::size_t>(k)] = logistic(net(2)) * std::tanh(c);
    }
  });
}

TEST_CASE("a coupled LSTM keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report = nn::check_cell(nn::CoupledLSTM(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("the cell state of a coupled LSTM stays between -1 and 1") {
  nn::Recurrent rnn(nn::CoupledLSTM(kInputs, kHidden));
  randomize(rnn, 2);
  const nn::State last = rnn(random({300, 4, kInputs}, 3, -20.0, 20.0)).state;
  for (const double c : last[1].value().to_vector<double>()) CHECK(std::abs(c) <= 1.0);
}

TEST_CASE("an LSTM whose input gate reads the negated weights of its forget gate is coupled") {
  nn::Recurrent coupled(nn::CoupledLSTM(kInputs, kHidden));
  randomize(coupled, 4);
  nn::Recurrent lstm(nn::LSTM(kInputs, kHidden));
  // Rows i, f, g, o from rows f, g, o.
  const auto with_input_gate = [&](const char* name) {
    const Tensor rows = parameter_of(coupled, name).value();
    return concat({-Variable(rows.slice(0, 0, kHidden)), rows}, 0).value();
  };
  for (const char* name : {"weight_ih", "weight_hh"})
    parameter_of(lstm, name).set(with_input_gate(name));
  parameter_of(lstm, "bias_ih").set(with_input_gate("bias"));
  parameter_of(lstm, "bias_hh").set(zeros({4 * kHidden}, Dtype::float64));
  const Tensor x = random({6, 2, kInputs}, 5);
  expect_close(coupled(x).outputs.value(), lstm(x).outputs.value());
}

TEST_CASE("a coupled LSTM refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::CoupledLSTM(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::CoupledLSTM(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
