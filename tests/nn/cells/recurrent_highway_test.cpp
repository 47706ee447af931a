// The recurrent highway network against its equations, and its limits.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/janet.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer(Index depth) {
  nn::Recurrent rnn(nn::RecurrentHighway(kInputs, kHidden, {.depth = depth}));
  randomize(rnn, 1);
  return rnn;
}

TEST_CASE("a recurrent highway network follows its equations") {
  for (const Index depth : {1, 2, 4}) {
    const nn::Recurrent rnn = layer(depth);
    const HandWeights w(rnn);
    expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
      for (Index l = 1; l <= depth; ++l) {
        const std::vector<double> s = state[0];
        const std::string number = std::to_string(l);
        const auto sum = [&](Index row) {
          return (l == 1 ? w.row("weight_ih", row, x) : 0.0) +
                 w.row("weight_hh_" + number, row, s) + w.at("bias_" + number, row);
        };
        for (Index j = 0; j < kHidden; ++j) {
          const auto k = static_cast<std::size_t>(j);
          const double transform = logistic(sum(kHidden + j));
          state[0][k] = std::tanh(sum(j)) * transform + s[k] * (1.0 - transform);
        }
      }
    });
  }
}

TEST_CASE("a recurrent highway network keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::RecurrentHighway(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a recurrent highway network with closed transform gates carries its state") {
  nn::Recurrent rnn(nn::RecurrentHighway(kInputs, kHidden, {.transform_bias = -1000.0}));
  rnn.to(Dtype::float64);
  const Tensor h = random({2, kHidden}, 3);
  expect_close(rnn(random({20, 2, kInputs}, 4), {h}).state[0].value(), h, 0.0);
}

TEST_CASE("a recurrent highway network of depth 1 is a JANET that writes what it forgets") {
  const nn::Recurrent highway = layer(1);
  const nn::Recurrent janet(nn::JANET(kInputs, kHidden, {.beta = 0.0}));
  // Rows H, T become f, g: the forget gate is 1 - t = sigmoid of the negative sum.
  const auto turn = [&](const char* from, const char* to) {
    const auto [candidate, transform] = split<2>(parameter_of(highway, from), 0);
    parameter_of(janet, to).set(concat({-transform, candidate}, 0).value());
  };
  turn("weight_ih", "weight_ih");
  turn("weight_hh_1", "weight_hh");
  turn("bias_1", "bias");
  const Tensor x = random({8, 2, kInputs}, 5);
  expect_close(highway(x).outputs.value(), janet(x).outputs.value());
}

TEST_CASE("the transform bias of a recurrent highway network is that of every layer") {
  const nn::Recurrent rnn(
      nn::RecurrentHighway(kInputs, kHidden, {.depth = 2, .transform_bias = -4.0}));
  for (const char* name : {"bias_1", "bias_2"})
    expect_values(parameter_of(rnn, name).value().slice(0, kHidden, 2 * kHidden),
                  {-4.0, -4.0, -4.0, -4.0});
}

TEST_CASE("a recurrent highway network refuses options that make no sense") {
  expect_error<ArgumentError>([] { nn::RecurrentHighway(3, 4, {.depth = 0}); },
                              {"RecurrentHighway", "depth", "0"});
  expect_error<ArgumentError>([] { nn::RecurrentHighway(3, 4, {.transform_bias = HUGE_VAL}); },
                              {"RecurrentHighway", "transform_bias", "inf"});
  expect_error<ArgumentError>([] { nn::RecurrentHighway(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
