// Cells that feed their output back, forced and in closed loop: gradients, what forcing means, and
// every misuse.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;
constexpr Index kOutputs = 2;

template <class Cell>
nn::Recurrent in_float64(Cell cell) {
  nn::Recurrent rnn(std::move(cell));
  rnn.to(Dtype::float64);
  return rnn;
}

/// Every cell whose recurrence goes through the output alone.
std::vector<nn::Recurrent> every_feedback_layer() {
  seed(1);
  return {in_float64(nn::Jordan(kInputs, kHidden, kOutputs)),
          in_float64(nn::Jordan1986(kInputs, kHidden, kOutputs)),
          in_float64(nn::OutputToHidden(kInputs, kHidden, kOutputs)),
          in_float64(nn::WilliamsZipser(kInputs, kOutputs))};
}

}  // namespace

TEST_CASE("the gradients of every cell in closed loop agree with finite differences") {
  std::vector<nn::Recurrent> layers = every_feedback_layer();
  layers.push_back(in_float64(nn::Jordan(kInputs, kHidden, kOutputs, {.bias = false})));
  for (nn::Recurrent& rnn : layers) {
    const GradcheckReport report = nn::gradcheck(rnn, random({4, 2, kInputs}, 2));
    CHECK_MESSAGE(report.passed, report.to_string());
  }
}

TEST_CASE("the gradients under forcing agree with finite differences, those of targets too") {
  for (nn::Recurrent rnn : every_feedback_layer())
    for (Index forced : {1, 3, 5}) {
      const auto f = [&](std::span<const Variable> in) {
        return rnn(in[0], {}, {.targets = in[1]}).outputs;
      };
      const GradcheckReport report =
          nn::gradcheck(rnn, f, {random({5, 2, kInputs}, 3), random({forced, 2, kOutputs}, 4)});
      CHECK_MESSAGE(report.passed, report.to_string());
    }
}

TEST_CASE("forcing makes the time steps independent: no gradient between them") {
  for (const nn::Recurrent& rnn : every_feedback_layer()) {
    const Index steps = 4;
    Tape tape;
    const Variable x = tape.watch(random({steps, 2, kInputs}, 5));
    const Variable forced = rnn(x, {}, {.targets = random({steps, 2, kOutputs}, 6)}).outputs;
    const Variable closed = rnn(x).outputs;
    for (Index t = 0; t < steps; ++t) {
      const auto slopes_of = [&](const Variable& outputs) {
        // The sum of the outputs has no slope where they come from softmax; their squares have.
        return tape.gradients(sum(square(select(outputs, 0, t))), {.retain = true})[x].value();
      };
      const Tensor independent = slopes_of(forced);
      const Tensor coupled = slopes_of(closed);
      for (Index k = 0; k < steps; ++k) {
        CAPTURE(t);
        CAPTURE(k);
        CHECK((sum(abs(independent.select(0, k))).item() > 0.0) == (k == t));
        CHECK((sum(abs(coupled.select(0, k))).item() > 0.0) == (k <= t));
      }
    }
  }
}

TEST_CASE("under forcing each step alone gives what the sequence gives") {
  for (const nn::Recurrent& rnn : every_feedback_layer()) {
    const Tensor x = random({4, 2, kInputs}, 7);
    const Tensor targets = random({4, 2, kOutputs}, 8);
    const Tensor together = rnn(x, {}, {.targets = targets}).outputs.value();
    nn::State state;
    for (Index t = 0; t < 4; ++t) {
      const auto [outputs, after] =
          rnn(x.slice(0, t, t + 1), state, {.targets = targets.slice(0, t, t + 1)});
      expect_close(outputs.value().select(0, 0), together.select(0, t), 1e-14);
      state = after;
    }
  }
}

TEST_CASE("targets of fewer steps than x are a warm-up: the loop is closed after them") {
  for (const nn::Recurrent& rnn : every_feedback_layer()) {
    const Tensor x = random({6, 2, kInputs}, 9);
    const Tensor targets = random({4, 2, kOutputs}, 10);
    const Tensor outputs = rnn(x, {}, {.targets = targets}).outputs.value();
    const auto [warm, between] = rnn(x.slice(0, 0, 4), {}, {.targets = targets});
    const auto [forecast, last] = rnn(x.slice(0, 4, 6), between);
    expect_close(outputs.slice(0, 0, 4), warm.value(), 1e-14);
    expect_close(outputs.slice(0, 4, 6), forecast.value(), 1e-14);
  }
}

TEST_CASE("forcing with the outputs of the closed loop changes no value") {
  for (const nn::Recurrent& rnn : {in_float64(nn::Jordan(kInputs, kHidden, kOutputs)),
                                   in_float64(nn::Jordan1986(kInputs, kHidden, kOutputs))}) {
    const Tensor x = random({5, 2, kInputs}, 11);
    const Tensor closed = rnn(x).outputs.value();
    expect_close(rnn(x, {}, {.targets = closed}).outputs.value(), closed, 1e-14);
  }
}

TEST_CASE("a unit network is forced where there is a target, and NaN is none") {
  seed(1);
  const nn::Recurrent rnn = in_float64(nn::WilliamsZipser(kInputs, 2));
  const Tensor x = random({2, 1, kInputs}, 11);
  const Tensor closed = rnn(x).outputs.value();
  const double none = std::nan("");
  const auto second = [&](double first_unit, double second_unit) {
    const Tensor targets = Tensor::of({1, 1, 2}, {first_unit, second_unit});
    return rnn(x, {}, {.targets = targets}).outputs.value().select(0, 1);
  };
  expect_close(second(none, none), closed.select(0, 1), 1e-15);
  // The unit without a target goes on with its own activation.
  const double own = closed.at({0, 0, 1});
  expect_close(second(0.3, none), second(0.3, own), 1e-15);
  CHECK(std::abs(second(0.3, none).at({0, 0}) - closed.at({1, 0, 0})) > 1e-4);
}

TEST_CASE("a cell that does not feed its output back refuses targets") {
  const nn::Recurrent rnn = in_float64(nn::GRU(kInputs, kHidden));
  expect_error<ArgumentError>(
      [&] {
        rnn(random({3, 2, kInputs}, 12), {}, {.targets = random({3, 2, kHidden}, 13)});
      },
      {"targets", "does not feed its output back"});
}

TEST_CASE("targets that do not fit are refused, with both shapes") {
  const nn::Recurrent rnn = in_float64(nn::Jordan(kInputs, kHidden, kOutputs));
  const auto force = [&](const Shape& shape) {
    rnn(random({3, 2, kInputs}, 14), {}, {.targets = zeros(shape, Dtype::float64)});
  };
  expect_error<ShapeError>([&] { force({4, 2, kOutputs}); }, {"targets", "[4,2,2]", "at most 3"});
  expect_error<ShapeError>([&] { force({3, 1, kOutputs}); }, {"[3,1,2]", "[F,2,2]"});
  expect_error<ShapeError>([&] { force({3, 2, 5}); }, {"[3,2,5]", "[F,2,2]"});
  expect_error<ShapeError>([&] { force({2, kOutputs}); }, {"[2,2]", "[F,2,2]"});
  expect_error<DtypeError>(
      [&] {
        rnn(random({3, 2, kInputs}, 15), {}, {.targets = zeros({3, 2, kOutputs})});
      },
      {"float32", "float64"});
}

TEST_CASE("sizes below 1 and a decay outside [0,1) are refused") {
  expect_error<ArgumentError>([] { nn::Jordan(3, 0, 2); }, {"at least 1", "0"});
  expect_error<ArgumentError>([] { nn::OutputToHidden(3, 4, 0); }, {"state size", "0"});
  for (double decay : {-0.1, 1.0, 2.0})
    expect_error<ArgumentError>([&] { nn::Jordan1986(3, 4, 2, {.decay = decay}); },
                                {"decay", std::to_string(decay)});
}
