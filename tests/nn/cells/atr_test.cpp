// The twin-gated network against its equations, and what makes its gates twins.
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
  nn::Recurrent rnn(nn::ATR(kInputs, kHidden));
  randomize(rnn, 1);
  return rnn;
}

TEST_CASE("a twin-gated network follows its equations") {
  const nn::Recurrent rnn = layer();
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    for (Index j = 0; j < kHidden; ++j) {
      const double p = w.row("weight_ih", j, x) + w.at("bias", j);
      const double q = w.row("weight_hh", j, h);
      double& next = state[0][static_cast<std::size_t>(j)];
      next = logistic(p + q) * p + logistic(p - q) * next;
    }
  });
}

TEST_CASE("a twin-gated network keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::ATR(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("without recurrent weights both gates of a twin-gated network are one") {
  const nn::Recurrent rnn = layer();
  parameter_of(rnn, "weight_hh").set(zeros({kHidden, kHidden}, Dtype::float64));
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    for (Index j = 0; j < kHidden; ++j) {
      const double p = w.row("weight_ih", j, x) + w.at("bias", j);
      double& h = state[0][static_cast<std::size_t>(j)];
      h = logistic(p) * (p + h);
    }
  });
}

TEST_CASE("a twin-gated network has the weights of a simple recurrent network") {
  CHECK(nn::ATR(kInputs, kHidden).parameter_count() ==
        kHidden * kInputs + kHidden * kHidden + kHidden);
}

TEST_CASE("a twin-gated network refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::ATR(0, 4); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::ATR(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
