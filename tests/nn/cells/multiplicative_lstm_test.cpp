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

TEST_CASE("a multiplicative LSTM computes its equations") {
  nn::Recurrent rnn(nn::MultiplicativeLSTM(kInputs, kHidden));
  randomize(rnn, 1);
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    std::vector<double> m;
    for (Index k = 0; k < kHidden; ++k)
      m.push_back(w.row("weight_mx", k, x) * w.row("weight_mh", k, state[0]));
    for (Index k = 0; k < kHidden; ++k) {
      const auto net = [&](Index gate) {
        const Index row = gate * kHidden + k;
        return w.row("weight_ih", row, x) + w.row("weight_hm", row, m) + w.at("bias", row);
      };
      double& c = state[1][static_cast<std::size_t>(k)];
      c = logistic(net(1)) * c + logistic(net(0)) * std::tanh(net(2));
      state[0][static_cast<std::size_t>(k)] = logistic(net(3)) * std::tanh(c);
    }
  });
}

TEST_CASE("a multiplicative LSTM keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report = nn::check_cell(nn::MultiplicativeLSTM(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("each symbol gives a multiplicative LSTM its own recurrent matrix") {
  nn::Recurrent multiplicative(nn::MultiplicativeLSTM(kInputs, kHidden));
  randomize(multiplicative, 2);
  for (Index symbol = 0; symbol < kInputs; ++symbol) {
    // W_hm diag(w) W_mh, where w is the column of W_mx that a one-hot input selects.
    const Variable column = slice(parameter_of(multiplicative, "weight_mx"), 1, symbol, symbol + 1);
    nn::Recurrent lstm(nn::LSTM(kInputs, kHidden));
    parameter_of(lstm, "weight_hh")
        .set(matmul(parameter_of(multiplicative, "weight_hm"),
                    column * parameter_of(multiplicative, "weight_mh"))
                 .value());
    parameter_of(lstm, "weight_ih").set(parameter_of(multiplicative, "weight_ih").value());
    parameter_of(lstm, "bias_ih").set(parameter_of(multiplicative, "bias").value());
    parameter_of(lstm, "bias_hh").set(zeros({4 * kHidden}, Dtype::float64));
    Tensor x = zeros({6, 1, kInputs}, Dtype::float64);
    for (Index t = 0; t < 6; ++t) x.in_place<double>()[t * kInputs + symbol] = 1.0;
    const nn::State start{random({1, kHidden}, 3), random({1, kHidden}, 4)};
    expect_close(multiplicative(x, start).outputs.value(), lstm(x, start).outputs.value());
  }
}

TEST_CASE("a multiplicative LSTM refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::MultiplicativeLSTM(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::MultiplicativeLSTM(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
