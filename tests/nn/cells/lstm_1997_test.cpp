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

double g_of_paper(double x) { return 4.0 / (1.0 + std::exp(-x)) - 2.0; }
double h_of_paper(double x) { return 2.0 / (1.0 + std::exp(-x)) - 1.0; }
double plain_tanh(double x) { return std::tanh(x); }

/// Hochreiter and Schmidhuber, 1997: s(t) = s(t-1) + y_in g(net), y = y_out h(s).
void expect_equations(const nn::Recurrent& rnn, double (*squash_g)(double),
                      double (*squash_h)(double)) {
  randomize(rnn, 1);
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> y = state[0];
    const auto net = [&](Index gate, Index k) {
      const Index row = gate * kHidden + k;
      return w.row("weight_ih", row, x) + w.row("weight_hh", row, y) + w.at("bias", row);
    };
    for (Index k = 0; k < kHidden; ++k) {
      const auto unit = static_cast<std::size_t>(k);
      state[1][unit] += logistic(net(0, k)) * squash_g(net(1, k));
      state[0][unit] = logistic(net(2, k)) * squash_h(state[1][unit]);
    }
  });
}

}  // namespace

TEST_CASE("LSTM1997 computes its equations with tanh and with the paper's squashing functions") {
  expect_equations(nn::Recurrent(nn::LSTM1997(kInputs, kHidden)), plain_tanh, plain_tanh);
  expect_equations(nn::Recurrent(nn::LSTM1997(kInputs, kHidden, {.paper_squashing = true})),
                   g_of_paper, h_of_paper);
}

TEST_CASE("LSTM1997 keeps the contract of a cell") {
  seed(1);
  for (const bool paper_squashing : {false, true}) {
    const nn::CellReport report =
        nn::check_cell(nn::LSTM1997(kInputs, kHidden, {.paper_squashing = paper_squashing}));
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("the error of the cell state of LSTM1997 flows back over 200 steps unchanged") {
  nn::Recurrent rnn(nn::LSTM1997(kInputs, kHidden));
  randomize(rnn, 2);
  // Without recurrent weights the only way back is through the cell state.
  parameter_of(rnn, "weight_hh").set(zeros({3 * kHidden, kHidden}, Dtype::float64));
  Tape tape;
  const Variable c = tape.watch(random({2, kHidden}, 3));
  const nn::State start{zeros({2, kHidden}, Dtype::float64), c};
  const nn::State last = rnn(random({200, 2, kInputs}, 4), start).state;
  expect_values(tape.gradients(sum(last[1]))[c].value(), std::vector<double>(2 * kHidden, 1.0),
                0.0);
}

TEST_CASE("an LSTM whose forget gate is 1 is LSTM1997") {
  nn::Recurrent first(nn::LSTM1997(kInputs, kHidden));
  randomize(first, 5);
  nn::Recurrent lstm(nn::LSTM(kInputs, kHidden));
  lstm.to(Dtype::float64);
  // Rows i, f, g, o from rows i, g, o.
  const auto with_forget = [](const Tensor& rows, double forget) {
    Shape shape = rows.shape();
    shape[0] = kHidden;
    return concat({rows.slice(0, 0, kHidden), full(shape, forget, Dtype::float64),
                   rows.slice(0, kHidden, 3 * kHidden)},
                  0)
        .value();
  };
  constexpr double kOpen = 50.0;  // its sigmoid rounds to 1
  for (const char* name : {"weight_ih", "weight_hh"})
    parameter_of(lstm, name).set(with_forget(parameter_of(first, name).value(), 0.0));
  parameter_of(lstm, "bias_ih").set(with_forget(parameter_of(first, "bias").value(), kOpen));
  parameter_of(lstm, "bias_hh").set(zeros({4 * kHidden}, Dtype::float64));
  const Tensor x = random({6, 2, kInputs}, 6);
  expect_close(first(x).outputs.value(), lstm(x).outputs.value());
}

TEST_CASE("LSTM1997 refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::LSTM1997(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::LSTM1997(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
