// The quasi-recurrent network against its equations; the run at once against the steps.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer(Index window) {
  nn::Recurrent rnn(nn::QRNN(kInputs, kHidden, {.window = window}));
  randomize(rnn, 1);
  return rnn;
}

/// The outputs of a batch of one from a state of zeros: the convolution by its definition.
std::vector<double> outputs_by_hand(const nn::Recurrent& rnn, Index window, const Tensor& x) {
  const HandWeights w(rnn);
  std::vector<double> outputs;
  std::vector<double> c(kHidden, 0.0);
  for (Index t = 0; t < x.size(0); ++t) {
    std::vector<double> past;
    for (Index d = 1; d < window; ++d)
      for (Index i = 0; i < kInputs; ++i) past.push_back(t - d < 0 ? 0.0 : x.at({t - d, 0, i}));
    const std::vector<double> now = x.select(0, t).to_vector<double>();
    const auto sum = [&](Index row) {
      return w.row("weight_ih", row, now) + w.at("bias", row) +
             (window > 1 ? w.row("weight_past", row, past) : 0.0);
    };
    for (Index j = 0; j < kHidden; ++j) {
      const double z = std::tanh(sum(j));
      const double f = logistic(sum(kHidden + j));
      double& cell = c[static_cast<std::size_t>(j)];
      cell = f * cell + (1.0 - f) * z;
      outputs.push_back(logistic(sum(2 * kHidden + j)) * cell);
    }
  }
  return outputs;
}

TEST_CASE("a quasi-recurrent network follows its equations, at once and in steps") {
  for (const Index window : {1, 2, 3, 8}) {
    const nn::Recurrent rnn = layer(window);
    const Tensor x = random({5, 2, kInputs}, 2);
    for (Index b = 0; b < 2; ++b) {
      const std::vector<double> expected = outputs_by_hand(rnn, window, x.slice(1, b, b + 1));
      expect_values(rnn(x).outputs.value().slice(1, b, b + 1), expected);
      expect_values(rnn.stepwise()(x).outputs.value().slice(1, b, b + 1), expected);
    }
  }
}

TEST_CASE("a quasi-recurrent network keeps the contract of cells") {
  for (const Index window : {1, 2, 3, 8}) {
    const nn::CellReport report =
        nn::check_cell(nn::QRNN(kInputs, kHidden, {.window = window}), {.steps = 6});
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("a quasi-recurrent network run at once has the lengths and boundaries of its steps") {
  constexpr Index kSteps = 9, kBatch = 6;
  const Tensor x = random({kSteps, kBatch, kInputs}, 3);
  const std::vector<Index> lengths{0, 1, 2, 5, 8, 9};
  const Tensor resets = gt(Variable(random({kSteps, kBatch}, 4)), 0.3);
  for (const Index window : {1, 2, 4}) {
    const nn::Recurrent rnn = layer(window);
    const nn::State start = as_state(random_state(rnn, kBatch, 5));
    for (const bool reverse : {false, true}) {
      for (const bool has_lengths : {false, true}) {
        for (const bool has_resets : {false, true}) {
          nn::UnrollOptions how{.reverse = reverse};
          if (has_lengths) how.lengths = lengths;
          if (has_resets) how.resets = resets;
          const nn::Sequence at_once = rnn(x, start, how);
          const nn::Sequence steps = rnn.stepwise()(x, start, how);
          expect_close(at_once.outputs.value(), steps.outputs.value());
          for (std::size_t k = 0; k < start.size(); ++k)
            expect_close(at_once.state[k].value(), steps.state[k].value());
        }
      }
    }
  }
}

TEST_CASE("a quasi-recurrent network runs a sequence of any length in a few operations") {
  const nn::Recurrent rnn = layer(3);
  const auto operations = [&](Index steps) {
    Tape tape;
    rnn(random({steps, 2, kInputs}, 6));
    return tape.statistics().operations;
  };
  CHECK(operations(1000) == operations(10));
  CHECK(operations(1000) < 20);
}

TEST_CASE("the convolution of a quasi-recurrent network is that of a time delay layer") {
  const nn::Recurrent rnn = layer(3);
  const nn::TimeDelay convolution(kInputs, 3 * kHidden, {.delays = {0, 1, 2}});
  const Variable weight =
      concat({parameter_of(rnn, "weight_ih"), parameter_of(rnn, "weight_past")});
  for (auto& [name, parameter] : convolution.named_parameters())
    parameter.set(name == "bias" ? parameter_of(rnn, "bias").value()
                                 : reshape(weight, {3 * kHidden, 3, kInputs}).value());
  const Tensor x = random({7, 2, kInputs}, 7);
  const auto [z, f, o] = split<3>(convolution(x));
  const Variable forget = sigmoid(f);
  const Variable c = linear_scan(forget, (1.0 - forget) * tanh(z));
  expect_close(rnn(x).outputs.value(), (sigmoid(o) * c).value());
}

TEST_CASE("a quasi-recurrent network refuses a window below 1") {
  expect_error<ArgumentError>([] { nn::QRNN(3, 4, {.window = 0}); }, {"QRNN", "window", "0"});
  expect_error<ArgumentError>([] { nn::QRNN(0, 4); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::QRNN(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
