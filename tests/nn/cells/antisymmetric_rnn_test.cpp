// Antisymmetric recurrence: both variants, and that memories neither grow nor fade.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

namespace unroll::testing {
namespace {

void expect_by_hand(const nn::AntisymmetricRNNOptions& options) {
  constexpr Index kInputs = 3, kHidden = 4, kSteps = 5, kBatch = 2;
  nn::AntisymmetricRNN cell(kInputs, kHidden, options);
  cell.to(Dtype::float64);
  const Weights w(cell);
  const Numbers& matrix = w["weight_hh"];
  const Tensor x = random({kSteps, kBatch, kInputs}, 1, -3.0, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(x);
  for (Index b = 0; b < kBatch; ++b) {
    Numbers h(kHidden, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      Numbers next(kHidden);
      for (std::size_t k = 0; k < kHidden; ++k) {
        double product = -options.gamma * h[k];
        for (std::size_t j = 0; j < kHidden; ++j)
          product += (matrix[k * kHidden + j] - matrix[j * kHidden + k]) * h[j];
        const auto input = [&](std::size_t row) {
          return w.dot("weight_ih", row, at_step(x, t, b)) + w["bias"][row];
        };
        const double gate = options.gated ? logistic(product + input(kHidden + k)) : 1.0;
        next[k] = h[k] + options.epsilon * gate * std::tanh(product + input(k));
      }
      h = next;
      expect_values(result.outputs.value().select(0, t).select(0, b), h);
    }
  }
}

}  // namespace

TEST_CASE("an AntisymmetricRNN computes the equation of its paper") {
  expect_by_hand({.epsilon = 0.4, .gamma = 0.3});
}

TEST_CASE("an AntisymmetricRNN with a gate computes the equation of its paper") {
  expect_by_hand({.epsilon = 0.4, .gamma = 0.3, .gated = true});
}

TEST_CASE("AntisymmetricRNN keeps the contract of a cell") {
  for (const bool gated : {false, true}) {
    const nn::CellReport report =
        nn::check_cell(nn::AntisymmetricRNN(3, 4, {.epsilon = 0.5, .gated = gated}));
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("the symmetric part of the weights of an AntisymmetricRNN does not matter") {
  nn::AntisymmetricRNN cell(2, 3, {.gamma = 0.0});
  cell.to(Dtype::float64);
  const Tensor x = random({6, 2, 2}, 1);
  const Tensor before = nn::Recurrent(cell)(x).outputs.value();
  for (auto [name, parameter] : cell.named_parameters()) {
    const Variable part = random({3, 3}, 2);
    if (name == "weight_hh")
      parameter.set((Variable(parameter.value()) + part + transpose(part)).value());
  }
  expect_close(nn::Recurrent(cell)(x).outputs.value(), before);
}

TEST_CASE("gradients through an AntisymmetricRNN neither explode nor vanish over 500 steps") {
  seed(1);
  const Index steps = 500;
  const nn::Recurrent rnn(nn::AntisymmetricRNN(1, 16, {.epsilon = 0.01, .gamma = 0.01}));
  Tape tape;
  const Variable start = tape.watch(normal({1, 16}, 0.0, 0.1));
  const Variable last = rnn(normal({steps, 1, 1}, 0.0, 1.0), {start}).state[0];
  const double size = norm(tape.gradients(sum(last))[start]).item();
  CHECK(size > 0.1 * 4.0);  // that of the sum of 16 units alone is 4
  CHECK(size < 10.0 * 4.0);
}

TEST_CASE("AntisymmetricRNN refuses options out of range") {
  expect_error<ArgumentError>([] { nn::AntisymmetricRNN(1, 2, {.epsilon = 0.0}); },
                              {"AntisymmetricRNN", "epsilon", "positive"});
  expect_error<ArgumentError>([] { nn::AntisymmetricRNN(1, 2, {.gamma = -0.1}); },
                              {"AntisymmetricRNN", "gamma", "-0.1"});
  expect_error<ArgumentError>([] { nn::AntisymmetricRNN(1, 0); }, {"state size"});
}

}  // namespace unroll::testing
