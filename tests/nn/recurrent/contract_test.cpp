// What a cell may do beyond h' = f(x, h): states of any shape, an output of its own; and what a
// layer does with boundaries inside a sequence and with sequences of no steps.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <optional>
#include <vector>

#include "support/expect.hpp"
#include "support/fast_weights.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

nn::Recurrent in_float64(nn::Recurrent rnn) {
  rnn.to(Dtype::float64);
  return rnn;
}

/// h' = h / 2 + x; the output is the state before the step, which no state holds.
class Late : public nn::Cell {
 public:
  Late() : Cell(1, {1}) {}
  nn::Step step(const Variable& x, const nn::State& h) const override {
    return nn::Step(h[0], {h[0] * 0.5 + x});
  }
};

/// A linear recurrence from a learned start.
class Started : public nn::LinearCell {
 public:
  Started(Index inputs, Index hidden)
      : LinearCell(inputs, hidden),
        both_(add("both", nn::Linear(inputs, 2 * hidden))),
        start_(parameter("start", random({hidden}, 21).to(Dtype::float32))) {}
  Coefficients coefficients(const Variable& x) const override {
    const auto [gate, value] = split<2>(both_(x));
    return {sigmoid(gate), value};
  }
  nn::State initial_state(Index batch, Dtype) const override {
    return {broadcast_to(start_, {batch, outputs()})};
  }

 private:
  nn::Linear both_;
  Parameter start_;
};

}  // namespace

TEST_CASE("two values are a state of two tensors, and an output must be named as one") {
  const Variable h = ones({1, 2});
  const auto pair = [&]() -> nn::Step { return {h, h}; };
  CHECK(pair().state.size() == 2);
  CHECK(!pair().output.defined());
  const nn::Step own(h, {h});
  CHECK(own.state.size() == 1);
  CHECK(own.output.defined());
}

TEST_CASE("an output may be what no state holds") {
  const nn::Recurrent rnn{Late()};
  const auto [outputs, state] = rnn(Tensor::of<double>({3, 1, 1}, {1, 2, 4}));
  expect_values(outputs.value(), {0, 1, 2.5});
  expect_values(state[0].value(), {5.25});
}

TEST_CASE("RTRL has the gradients of backpropagation through time for such cells too") {
  for (const Index batch : {1, 2}) {
    const nn::Recurrent rnn = in_float64(nn::Recurrent(FastWeights(3, 2, 4)));
    nn::Linear readout(4, 2);
    readout.to(Dtype::float64);
    const nn::StepLoss loss = [&](const Variable& output, const Tensor& target) {
      return mse_loss(readout(output), target);
    };
    const Tensor x = random({5, batch, 3}, 1);
    const Tensor targets = random({5, batch, 2}, 2);
    nn::RTRL rtrl(rnn, loss);
    nn::BPTT bptt(rnn, loss);
    const auto forward = rtrl.gradients(x, targets);
    const auto backward = bptt.gradients(x, targets);
    CHECK(forward.loss == doctest::Approx(backward.loss));
    for (const Parameter& parameter : rnn.parameters())
      expect_close(forward.gradients[parameter].value(), backward.gradients[parameter].value(),
                   1e-12);
    for (const Parameter& parameter : readout.parameters())
      expect_close(forward.gradients[parameter].value(), backward.gradients[parameter].value(),
                   1e-12);
  }
}

TEST_CASE("a boundary inside a sequence separates it as two calls would, gradients included") {
  for (const bool reverse : {false, true})
    for (const int variant : {0, 1, 2, 3, 4, 5}) {
      CAPTURE(reverse);
      CAPTURE(variant);
      const bool checkpointed = variant % 2 == 1;
      nn::Recurrent rnn = in_float64(variant < 2   ? nn::Recurrent(nn::LSTM(3, 4))
                                     : variant < 4 ? nn::Recurrent(nn::MinGRU(3, 4))
                                                   : nn::Recurrent(Started(3, 4)));
      if (checkpointed) rnn = rnn.checkpointed(1);
      const Tensor x = random({6, 2, 3}, 3);
      const Tensor weights = random({6, 2, 4}, 4);
      const Tensor resets = Tensor::of<std::int64_t>({6, 2}, {0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0});
      Tape tape;
      const Variable whole = rnn(x, {}, {.reverse = reverse, .resets = resets}).outputs;
      std::vector<Variable> rows;
      for (const Index b : {0, 1}) {
        const Index cut = b == 0 ? 3 : 1;
        const Tensor row = x.slice(1, b, b + 1);
        rows.push_back(concat({rnn(row.slice(0, 0, cut), {}, {.reverse = reverse}).outputs,
                               rnn(row.slice(0, cut, 6), {}, {.reverse = reverse}).outputs},
                              0));
      }
      const Variable apart = concat(rows, 1);
      CHECK(whole.shape() == apart.shape());
      expect_close(whole.value(), apart.value(), 1e-13);
      const Gradients a = tape.gradients(sum(whole * weights), {.retain = true});
      const Gradients b = tape.gradients(sum(apart * weights), {.retain = true});
      for (const Parameter& parameter : rnn.parameters())
        expect_close(a[parameter].value(), b[parameter].value(), 1e-12);
    }
}

TEST_CASE("a boundary past the end of a sequence changes nothing") {
  const Tensor x = random({5, 2, 3}, 31);
  const Tensor resets = Tensor::of<double>({5, 2}, {0, 0, 0, 0, 0, 1, 0, 1, 0, 0});
  const nn::State given{random({2, 4}, 32)};
  for (const nn::Recurrent& rnn :
       {in_float64(nn::Recurrent(nn::GRU(3, 4))), in_float64(nn::Recurrent(nn::MinGRU(3, 4))),
        in_float64(nn::Recurrent(Started(3, 4)))})
    for (const nn::Recurrent& way : {rnn, rnn.stepwise()})
      for (const bool reverse : {false, true}) {
        CAPTURE(reverse);
        const nn::UnrollOptions plain{.lengths = {5, 2}, .reverse = reverse};
        nn::UnrollOptions marked = plain;
        marked.resets = resets;
        const auto expected = way(x, given, plain);
        const auto actual = way(x, given, marked);
        CHECK(actual.outputs.shape() == expected.outputs.shape());
        expect_close(actual.outputs.value(), expected.outputs.value(), 1e-14);
        expect_close(actual.state[0].value(), expected.state[0].value(), 1e-14);
      }
}

TEST_CASE("with no steps the state passes through, and so does that of an empty sequence") {
  const nn::Recurrent rnn = in_float64(nn::Recurrent(nn::GRU(3, 4)));
  const Tensor start = random({2, 4}, 5);
  const auto [outputs, state] = rnn(zeros({0, 2, 3}, Dtype::float64), {start});
  CHECK(outputs.shape() == Shape{0, 2, 4});
  expect_close(state[0].value(), start, 0.0);

  const Tensor x = random({3, 2, 3}, 6);
  const auto some = rnn(x, {start}, {.lengths = {0, 3}});
  expect_close(some.state[0].value().slice(0, 0, 1), start.slice(0, 0, 1), 0.0);
  expect_close(some.outputs.value().slice(1, 0, 1), zeros({3, 1, 4}, Dtype::float64), 0.0);
  const auto alone = rnn(x.slice(1, 1, 2), {start.slice(0, 1, 2)});
  expect_close(some.outputs.value().slice(1, 1, 2), alone.outputs.value(), 1e-14);
}

TEST_CASE("resets and states of the wrong shape are refused, with the class of the cell") {
  const nn::Recurrent rnn(FastWeights(3, 2, 4));
  const Tensor x = zeros({5, 2, 3});
  expect_error<ShapeError>(
      [&] {
        rnn(x, {}, {.resets = zeros({2, 5})});
      },
      {"recurrent", "resets", "[2,5]", "[5,2]"});
  expect_error<ShapeError>(
      [&] {
        rnn(x, {zeros({2, 8})});
      },
      {"recurrent", "the state given", "[2,8]", "[2,2,4]", "FastWeights"});
  expect_error<ArgumentError>([] { FastWeights(3, 0, 4); }, {"state size", "at least 1"});
}

}  // namespace unroll::testing
