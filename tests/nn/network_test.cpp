// NARX, the unit network with masked targets, time delays and the multilayer perceptron: gradients,
// what they promise, and every misuse.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/elman.hpp>
#include <nn/cells/euler.hpp>
#include <nn/cells/jordan.hpp>
#include <nn/cells/narx.hpp>
#include <nn/cells/williams_zipser.hpp>
#include <nn/layers/mlp.hpp>
#include <nn/layers/time_delay.hpp>
#include <nn/learning/masked_squared_error.hpp>
#include <nn/recurrent/recurrent.hpp>
#include <nn/verify/gradcheck.hpp>

#include <cmath>
#include <functional>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

void check_network(const GradcheckReport& report) {
  CHECK_MESSAGE(report.passed, report.to_string());
}

}  // namespace

TEST_CASE("the gradients of NARX and of the unit network agree with finite differences") {
  for (Index ty : {1, 3})
    for (Index tx : {0, 2}) {
      nn::Recurrent rnn(nn::NARX(3, 4, 2, {.output_delays = ty, .input_delays = tx}));
      check_network(nn::gradcheck(rnn, random({5, 2, 3}, 1)));
    }
  nn::Recurrent units(nn::WilliamsZipser(3, 4));
  check_network(nn::gradcheck(units, random({4, 2, 3}, 2)));
}

TEST_CASE("the gradients of the layers over time agree with finite differences") {
  const auto of = [](auto layer) {
    check_network(nn::gradcheck(layer, [&](std::span<const Variable> in) { return layer(in[0]); },
                                {random({6, 2, 3}, 3)}));
  };
  of(nn::TimeDelay(3, 2, {.delays = {0, 2, 5}}));
  of(nn::TimeDelay(3, 2,
                   {.delays = {0, 1}, .connections = random({2, 2, 3}, 4).to(Dtype::float32)}));
  of(nn::LearnedDelay(3, 2, {.max_delay = 4}));
  of(nn::MLP({3, 5, 2}));
}

TEST_CASE("NARX continues where it stopped, warmed up or not") {
  nn::Recurrent rnn(nn::NARX(3, 4, 2, {.output_delays = 3, .input_delays = 2}));
  rnn.to(Dtype::float64);
  const Tensor x = random({8, 2, 3}, 5);
  const Tensor targets = random({5, 2, 2}, 6);
  const Tensor outputs = rnn(x, {}, {.targets = targets}).outputs.value();
  CHECK(outputs.shape() == Shape{8, 2, 2});
  const auto [warm, between] = rnn(x.slice(0, 0, 5), {}, {.targets = targets});
  expect_close(outputs.slice(0, 5, 8), rnn(x.slice(0, 5, 8), between).outputs.value(), 1e-14);
}

TEST_CASE("in open loop NARX has no gradient from step to step, in closed loop it has") {
  nn::Recurrent rnn(nn::NARX(3, 4, 2, {.output_delays = 2}));
  rnn.to(Dtype::float64);
  Tape tape;
  const Variable x = tape.watch(random({5, 1, 3}, 7));
  const auto slopes = [&](const Variable& outputs) {
    return tape.gradients(sum(select(outputs, 0, 4)), {.retain = true})[x].value();
  };
  const Tensor open = slopes(rnn(x, {}, {.targets = random({5, 1, 2}, 8)}).outputs);
  const Tensor closed = slopes(rnn(x).outputs);
  for (Index t = 0; t < 5; ++t) {
    CHECK((sum(abs(open.select(0, t))).item() > 0.0) == (t == 4));
    CHECK(sum(abs(closed.select(0, t))).item() > 0.0);
  }
}

TEST_CASE("the masked squared error sums over Theta(t) alone, and its gradient is zero outside") {
  const Tensor mask = nn::unit_mask({{0}, {}, {1, 2}}, 3);
  CHECK(mask.shape() == Shape{3, 1, 3});
  expect_values(mask, {1, 0, 0, 0, 0, 0, 0, 1, 1});
  const double none = std::nan("");
  const Tensor targets = Tensor::of({3, 1, 3}, {1.0, none, 0.0, none, none, none, 0.0, 2.0, -1.0});
  Tape tape;
  const Variable a = tape.watch(full({3, 1, 3}, 0.5, Dtype::float64));
  const Variable error = nn::masked_squared_error(a, targets, mask);
  CHECK(error.item() == 0.25 + 2.25 + 2.25);
  expect_values(tape.gradients(error)[a].value(), {-1, 0, 0, 0, 0, 0, 0, -3, 3});
}

TEST_CASE("masks and targets that contradict each other are refused") {
  expect_error<ArgumentError>([] { nn::unit_mask({}, 3); }, {"no steps"});
  expect_error<ArgumentError>([] { nn::unit_mask({{0}}, 0); }, {"units", "0"});
  expect_error<ArgumentError>([] { nn::unit_mask({{0}, {3}}, 3); }, {"step 1", "unit 3", "0 to 2"});
  expect_error<ArgumentError>([] { nn::unit_mask({{-1}}, 3); }, {"unit -1"});
  const Variable a = zeros({1, 1, 2}, Dtype::float64);
  const Tensor mask = nn::unit_mask({{1}}, 2);
  expect_error<ArgumentError>(
      [&] {
        nn::masked_squared_error(a, Tensor::of({1, 1, 2}, {0.5, 0.5}), mask);
      },
      {"0.5", "element 0", "outside Theta"});
  expect_error<ArgumentError>(
      [&] {
        nn::masked_squared_error(a, Tensor::of({1, 1, 2}, {0.0, std::nan("")}), mask);
      },
      {"no target", "element 1"});
  expect_error<ArgumentError>(
      [&] {
        nn::masked_squared_error(a, a.value(), full({1, 1, 2}, 0.5));
      },
      {"mask", "0.5"});
  expect_error<ShapeError>(
      [&] {
        nn::masked_squared_error(a, zeros({1, 2}), mask);
      },
      {"[1,1,2]", "[1,2]"});
  expect_error<ShapeError>([&] { nn::masked_squared_error(a, a.value(), Tensor()); }, {"mask"});
  expect_error<ShapeError>([&] { nn::masked_squared_error(a, a.value(), ones({3})); }, {"[3]"});
}

TEST_CASE("sizes and delays that make no sense are refused") {
  expect_error<ArgumentError>([] { nn::NARX(3, 4, 2, {.output_delays = 0}); }, {"narx", "0"});
  expect_error<ArgumentError>([] { nn::NARX(3, 4, 2, {.input_delays = -1}); }, {"narx", "-1"});
  expect_error<ArgumentError>([] { nn::NARX(3, 4, 0); }, {"state size"});
  expect_error<ArgumentError>([] { nn::WilliamsZipser(0, 4); }, {"inputs"});
  expect_error<ArgumentError>([] { nn::TimeDelay(0, 2); }, {"time_delay", "0 and 2"});
  expect_error<ArgumentError>([] { nn::TimeDelay(1, 2, {.delays = {}}); }, {"one delay"});
  expect_error<ArgumentError>([] { nn::TimeDelay(1, 2, {.delays = {0, -1}}); }, {"negative"});
  expect_error<ArgumentError>([] { nn::TimeDelay(1, 2, {.delays = {3, 0, 3}}); }, {"once"});
  expect_error<ShapeError>(
      [] {
        nn::TimeDelay(1, 2, {.connections = ones({2, 1, 2})});
      },
      {"connections", "[2,1,2]", "[2,2,1]"});
  expect_error<ArgumentError>([] { nn::LearnedDelay(1, 2, {.max_delay = 0}); }, {"max_delay"});
  expect_error<ArgumentError>([] { nn::LearnedDelay(1, 0); }, {"learned_delay", "1 and 0"});
  expect_error<ArgumentError>([] { nn::MLP({3}); }, {"mlp", "1"});
  expect_error<ArgumentError>([] { nn::MLP({3, 0}); }, {"linear", "0"});
}

TEST_CASE("an activation may be a lambda with values of its own, and must be there") {
  const double slope = 0.25;
  const auto leaky = [slope](const Variable& x) { return leaky_relu(x, slope); };
  const nn::MLP layer({1, 1}, {.output_activation = leaky, .bias = false});
  layer.parameters()[0].set(ones({1, 1}));
  CHECK(layer(full({1, 1}, -2.0)).item() == -0.5);
  expect_error<ArgumentError>([] { nn::Elman(2, 3, {.activation = nullptr}); }, {"activation"});
  expect_error<ArgumentError>(
      [] {
        nn::Jordan(2, 3, 1, {.output_activation = std::function<Variable(const Variable&)>()});
      },
      {"activation", "no function"});
  expect_error<ArgumentError>([] { nn::Euler(2, 3, nn::Derivative()); }, {"euler", "no g"});
}

TEST_CASE("a delay beyond the sequence is refused, with both lengths") {
  const nn::TimeDelay layer(3, 2, {.delays = {0, 5}});
  CHECK(layer(ones({6, 1, 3})).shape() == Shape{6, 1, 2});
  expect_error<ShapeError>([&] { layer(ones({5, 1, 3})); }, {"time_delay", "5 steps", "[5,1,3]"});
  const nn::LearnedDelay learned(3, 2, {.max_delay = 5});
  expect_error<ShapeError>([&] { learned(ones({5, 1, 3})); }, {"learned_delay", "[5,1,3]"});
  expect_error<ShapeError>([&] { layer(ones({6, 1, 4})); }, {"[6,1,4]", "[T,B,3]"});
  expect_error<ShapeError>([&] { layer(Variable()); }, {"[T,B,3]"});
}
