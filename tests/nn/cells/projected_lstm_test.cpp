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
constexpr Index kProjections = 2;

}  // namespace

TEST_CASE("a projected LSTM computes its equations") {
  nn::Recurrent rnn(nn::ProjectedLSTM(kInputs, kHidden, kProjections));
  randomize(rnn, 1);
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    std::vector<double> m(kHidden);
    for (Index k = 0; k < kHidden; ++k) {
      const auto net = [&](Index gate) {
        const Index row = gate * kHidden + k;
        return w.row("weight_ih", row, x) + w.at("bias_ih", row) + w.row("weight_hh", row, h) +
               w.at("bias_hh", row);
      };
      double& c = state[1][static_cast<std::size_t>(k)];
      c = logistic(net(1)) * c + logistic(net(0)) * std::tanh(net(2));
      m[static_cast<std::size_t>(k)] = logistic(net(3)) * std::tanh(c);
    }
    for (Index p = 0; p < kProjections; ++p)
      state[0][static_cast<std::size_t>(p)] = w.row("weight_hr", p, m);
  });
}

TEST_CASE("a projected LSTM keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report = nn::check_cell(nn::ProjectedLSTM(kInputs, kHidden, kProjections));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a projected LSTM has PyTorch's parameters and returns P elements") {
  const nn::Recurrent rnn(nn::ProjectedLSTM(kInputs, kHidden, kProjections));
  const auto parameters = rnn.named_parameters();
  REQUIRE(parameters.size() == 5);
  const std::vector<std::pair<std::string, Shape>> expected{
      {"weight_ih_l0", {16, 3}}, {"weight_hh_l0", {16, 2}}, {"bias_ih_l0", {16}},
      {"bias_hh_l0", {16}},      {"weight_hr_l0", {2, 4}},
  };
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    CHECK(parameters[k].name == expected[k].first);
    CHECK(parameters[k].parameter.shape() == expected[k].second);
  }
  const auto [outputs, state] = rnn(ones({5, 2, kInputs}));
  CHECK(outputs.shape() == Shape{5, 2, kProjections});
  CHECK(state[0].shape() == Shape{2, kProjections});
  CHECK(state[1].shape() == Shape{2, kHidden});
}

TEST_CASE("a projected LSTM with the identity as its projection is an LSTM") {
  nn::Recurrent projected(nn::ProjectedLSTM(kInputs, kHidden, kHidden));
  randomize(projected, 2);
  Tensor identity = zeros({kHidden, kHidden}, Dtype::float64);
  for (Index k = 0; k < kHidden; ++k) identity.in_place<double>()[k * kHidden + k] = 1.0;
  parameter_of(projected, "weight_hr").set(identity);
  nn::Recurrent lstm(nn::LSTM(kInputs, kHidden));
  for (const char* name : {"weight_ih", "weight_hh", "bias_ih", "bias_hh"})
    parameter_of(lstm, name).set(parameter_of(projected, name).value());
  const Tensor x = random({6, 2, kInputs}, 3);
  expect_close(projected(x).outputs.value(), lstm(x).outputs.value());
}

TEST_CASE("a projected LSTM refuses sizes below 1 and more projections than cells") {
  expect_error<ArgumentError>([] { nn::ProjectedLSTM(0, 2, 1); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::ProjectedLSTM(2, 0, 1); }, {"state size", "0"});
  expect_error<ArgumentError>([] { nn::ProjectedLSTM(2, 3, 0); }, {"state size", "0"});
  expect_error<ArgumentError>([] { nn::ProjectedLSTM(2, 3, 4); },
                              {"ProjectedLSTM", "projections", "4", "3"});
}

}  // namespace unroll::testing
