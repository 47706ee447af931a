// What a cell makes once for a call of a layer: masks and derived weights.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <utility>

#include "support/expect.hpp"
#include "support/learning.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// h' = h + m w, with a mask m drawn for each call, so that the state counts what the mask lets by.
class Counting : public nn::Cell {
 public:
  explicit Counting(Index size)
      : Cell(size, {size}), weight_(parameter("weight", ones({size}, Dtype::float64))) {}
  void prepare(nn::Call& call) const override {
    call.set(mask_, dropout(ones({call.batch(), outputs()}, call.dtype()), 0.5));
    call.set(weight_, square(call.value(weight_)));
  }
  nn::Step step(const Variable& x, const nn::State& h) const override {
    return {h[0] + mask_ * Variable(weight_) + 0.0 * x};
  }

 private:
  Parameter weight_;
  nn::PerCall mask_;
};

/// Counts its steps, and so does not repeat.
class Worn : public nn::Cell {
 public:
  Worn() : Cell(1, {1}), weight_(parameter("weight", ones({1}, Dtype::float64))) {}
  nn::Step step(const Variable& x, const nn::State& h) const override {
    ++steps_;
    return {h[0] * Variable(weight_) + x * static_cast<double>(steps_)};
  }

 private:
  Parameter weight_;
  mutable int steps_ = 0;
};

}  // namespace

TEST_CASE("a mask is drawn once for a call, and another for the next call") {
  const nn::Recurrent rnn(Counting(50));
  const Tensor x = zeros({6, 3, 50}, Dtype::float64);
  const Tensor first = rnn(x).outputs.value();
  expect_close(first.select(0, 5),
               (first.select(0, 0) * Variable(full({}, 6.0, Dtype::float64))).value(), 1e-15);
  const Tensor second = rnn(x).outputs.value();
  CHECK(first.to_vector<double>() != second.to_vector<double>());
}

TEST_CASE("the parts of a sequence are read under one mask with draws from one generator") {
  const nn::Recurrent rnn(Counting(50));
  const Tensor x = zeros({6, 3, 50}, Dtype::float64);
  const Generator draws(7);
  const Tensor whole = rnn(x, {}, {.draws = draws}).outputs.value();
  const auto head = rnn(x.slice(0, 0, 2), {}, {.draws = draws});
  const auto tail = rnn(x.slice(0, 2, 6), head.state, {.draws = draws});
  expect_close(tail.outputs.value(), whole.slice(0, 2, 6), 1e-15);
}

TEST_CASE("every learning rule reads a sequence under one mask, and they agree") {
  const Net net(nn::Recurrent(nn::VariationalDropout(nn::WeightDrop(
                                                         [] {
                                                           nn::LSTM cell(2, 3);
                                                           cell.to(Dtype::float64);
                                                           return cell;
                                                         }(),
                                                         "weight_hh", 0.3),
                                                     {.input = 0.4, .state = 0.4, .output = 0.4})));
  const Tensor x = random({6, 2, 2}, 1);
  const Tensor targets = random({6, 2, 2}, 2);
  const auto update = [&](nn::LearningRule&& rule) {
    seed(5);
    return rule.gradients(x, targets);
  };
  const nn::Update plain = update(nn::BPTT(net.rnn, net.loss()));
  check_same(net, update(nn::RTRL(net.rnn, net.loss())), plain, 1e-11, "RTRL");
  check_same(net, update(nn::TruncatedBPTT(net.rnn, net.loss(), {.k1 = 2, .k2 = 6})), plain, 1e-11,
             "windows that reach back to the beginning");
  check_same(net, update(nn::BPTT(net.rnn.checkpointed(1), net.loss())), plain, 1e-11,
             "checkpoints");
}

TEST_CASE("windows of truncated backpropagation see the mask of the sequence") {
  const nn::Recurrent rnn(Counting(50));
  const Tensor x = zeros({6, 1, 50}, Dtype::float64);
  std::vector<Tensor> outputs;
  nn::TruncatedBPTT rule(rnn,
                         [&](const Variable& h, const Tensor&) {
                           outputs.push_back(h.value().clone());
                           return sum(h);
                         },
                         {.k1 = 2, .k2 = 2});
  static_cast<void>(rule.gradients(x, x));
  REQUIRE(outputs.size() == 6);
  for (Index t = 1; t < 6; ++t)
    expect_close(
        outputs[static_cast<std::size_t>(t)],
        (outputs[0] * Variable(full({}, static_cast<double>(t + 1), Dtype::float64))).value(),
        1e-15);
}

TEST_CASE("a derived weight has its gradient once, also under checkpoints") {
  const Tensor x = zeros({6, 2, 4}, Dtype::float64);
  const nn::Recurrent rnn(Counting(4));
  std::vector<Tensor> slopes;
  for (const nn::Recurrent& one : {rnn, rnn.checkpointed(1)}) {
    seed(3);
    Tape tape;
    slopes.push_back(tape.gradients(sum(one(x).outputs))[one.parameters()[0]].value());
  }
  expect_close(slopes[1], slopes[0], 1e-14);
}

TEST_CASE("gradient flow is that of a sequence under one mask") {
  nn::LSTM cell(2, 3);
  cell.to(Dtype::float64);
  const nn::VariationalDropout dropped(cell, {.state = 0.5});
  const Tensor x = random({4, 2, 2}, 1);
  seed(8);
  const nn::GradientFlow flow = nn::gradient_flow(dropped, x);
  // By the tape, with the same masks: the norm of dS_T/dS_0 of each sequence.
  seed(8);
  const Generator draws = default_generator();
  const nn::Recurrent rnn(dropped);
  for (Index b = 0; b < 2; ++b) {
    double squares = 0.0;
    for (Index k = 0; k < 6; ++k) {
      Tape tape;
      const nn::State start{tape.watch(zeros({2, 3}, Dtype::float64)),
                            tape.watch(zeros({2, 3}, Dtype::float64))};
      const nn::State last = rnn(x, start, {.draws = draws}).state;
      const Gradients slopes = tape.gradients(
          sum(slice(slice(last[std::size_t(k / 3)], 0, b, b + 1), 1, k % 3, k % 3 + 1)));
      for (const Variable& part : start)
        for (const double value : slopes[part].value().to_vector<double>())
          squares += value * value;
    }
    CHECK(flow.frobenius.at({4, b}) == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
  }
}

TEST_CASE("a value per call is refused outside of a call and with another batch") {
  const Counting cell(3);
  const nn::State start = cell.initial_state(2, Dtype::float64);
  expect_error<ArgumentError>(
      [&] {
        static_cast<void>(cell.step(zeros({2, 3}, Dtype::float64), start));
      },
      {"per-call", "prepare"});
  nn::Call call(2, Dtype::float64);
  const nn::PerCall mask;
  expect_error<ShapeError>([&] { call.set(mask, zeros({3, 4})); }, {"[3,4]", "2"});
  CHECK(!mask.is_set());
}

TEST_CASE("a cell that counts its own steps behaves the same with and without a budget") {
  const Tensor x = ones({20, 1, 1}, Dtype::float64);
  std::vector<Tensor> outputs;
  std::vector<Tensor> slopes;
  for (const bool limited : {false, true}) {
    nn::Recurrent rnn{Worn()};
    if (limited) rnn = rnn.checkpointed(1);
    Tape tape;
    const Variable leaf = tape.watch(x);
    const auto [values, state] = rnn(leaf);
    outputs.push_back(values.value());
    slopes.push_back(tape.gradients(sum(square(values)))[leaf].value());
    outputs.push_back(rnn(x).outputs.value());  // the counter went on alike
  }
  expect_close(outputs[2], outputs[0], 1e-15);
  expect_close(outputs[3], outputs[1], 1e-15);
  expect_close(slopes[1], slopes[0], 1e-14);
}

}  // namespace unroll::testing
