#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Vector = std::vector<double>;

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

nn::Recurrent random_layer(std::uint64_t seed) {
  nn::Recurrent rnn(nn::RWKV4(kInputs, kHidden));
  randomize(rnn, seed);
  return rnn;
}

/// The equations without protection against overflow; the state is {y, x, A, B}.
void step_by_hand(const HandWeights& weights, const Vector& x, HandState& state) {
  const auto shifted = [&](const char* mix, const char* weight, Index row) {
    Vector mixed;
    for (Index i = 0; i < kInputs; ++i) {
      const double m = weights.at(mix, i);
      mixed.push_back(m * x[at(i)] + (1.0 - m) * state[1][at(i)]);
    }
    return weights.row(weight, row, mixed);
  };
  Vector gated;
  for (Index h = 0; h < kHidden; ++h) {
    const double r = shifted("mix_r", "receptance.weight", h);
    const double k = shifted("mix_k", "key.weight", h);
    const double v = shifted("mix_v", "value.weight", h);
    double &a = state[2][at(h)], &b = state[3][at(h)];
    const double now = std::exp(weights.at("bonus", h) + k);
    gated.push_back(logistic(r) * (a + now * v) / (b + now));
    const double keep = std::exp(-std::exp(weights.at("decay", h)));
    a = keep * a + std::exp(k) * v;
    b = keep * b + std::exp(k);
  }
  for (Index h = 0; h < kHidden; ++h) state[0][at(h)] = weights.row("output.weight", h, gated);
  state[1] = x;
}

HandSequence by_hand(const nn::Recurrent& rnn, const Tensor& x) {
  const HandWeights weights(rnn);
  const Tensor zero = zeros({x.size(1), kHidden}, Dtype::float64);
  return run_by_hand(
      x, {zero, zeros({x.size(1), kInputs}, Dtype::float64), zero, zero},
      [&](const Vector& input, HandState& state) { step_by_hand(weights, input, state); });
}

}  // namespace

TEST_CASE("RWKV-4 computes the equations of its paper") {
  const nn::Recurrent rnn = random_layer(1);
  const Tensor x = random({5, 2, kInputs}, 2, -2.0, 2.0);
  const HandSequence expected = by_hand(rnn, x);
  for (const nn::Recurrent& layer : {rnn, rnn.stepwise()}) {
    const auto [outputs, state] = layer(x);
    expect_values(outputs.value(), expected.outputs);
    expect_values(state[0].value(), expected.state[1]);
    expect_values((state[1] * exp(state[3])).value(), expected.state[2]);
    expect_values((state[2] * exp(state[3])).value(), expected.state[3]);
  }
}

TEST_CASE("RWKV-4 keeps the contract of a cell") {
  seed(1);
  const nn::RWKV4 cell(2, kInputs);
  const nn::CellReport report = nn::check_cell(cell);
  CHECK_MESSAGE(report, report.to_string());
  const nn::CellReport steps = nn::check_cell(nn::Recurrent(cell).stepwise());
  CHECK_MESSAGE(steps, steps.to_string());
}

TEST_CASE("all steps of RWKV-4 at once have the values and gradients of the steps") {
  const nn::Recurrent rnn = random_layer(3);
  const nn::State start = rnn(random({2, 3, kInputs}, 4)).state;
  const auto results = [&](const nn::Recurrent& layer) {
    Tape tape;
    const Variable x = tape.watch(random({6, 3, kInputs}, 5));
    const auto [outputs, state] = layer(x, start);
    Variable loss = sum(square(outputs));
    for (const Variable& value : state) loss = loss + sum(sin(value));
    const Gradients all = tape.gradients(loss);
    std::vector<Variable> result{outputs, state[0], state[1], state[2], state[3], all[x]};
    for (const Parameter& parameter : layer.parameters()) result.push_back(all[parameter]);
    return result;
  };
  const auto at_once = results(rnn), steps = results(rnn.stepwise());
  for (std::size_t k = 0; k < steps.size(); ++k) expect_close(at_once[k].value(), steps[k].value());
}

TEST_CASE("keys of 300 and -300 neither overflow nor vanish in RWKV-4 in float32") {
  for (const double scale : {-300.0, 300.0}) {
    nn::Recurrent rnn = random_layer(6);
    // Every key is `scale` times the first input, which is near 1.
    Tensor weight = zeros({kHidden, kInputs}, Dtype::float64);
    for (Index h = 0; h < kHidden; ++h) weight.in_place<double>()[h * kInputs] = scale;
    parameter_of(rnn, "key.weight").set(weight);
    parameter_of(rnn, "mix_k").set(ones({kInputs}, Dtype::float64));
    Tensor x = random({6, 2, kInputs}, 7);
    for (Index row = 0; row < 12; ++row)
      x.in_place<double>()[row * kInputs] = 1.0 + 0.001 * static_cast<double>(row % 5);
    const HandSequence expected = by_hand(rnn, x);
    expect_values(rnn(x).outputs.value(), expected.outputs);

    rnn.to(Dtype::float32);
    Tape tape;
    const Variable narrow_x = tape.watch(x.to(Dtype::float32));
    const auto [outputs, state] = rnn(narrow_x);
    expect_values(outputs.value(), expected.outputs, 1e-3);
    const Gradients gradients = tape.gradients(sum(square(outputs)));
    CHECK(std::isfinite(sum(abs(gradients[narrow_x])).item()));
    for (const Parameter& parameter : rnn.parameters())
      CHECK_MESSAGE(std::isfinite(sum(abs(gradients[parameter])).item()), parameter.name());
  }
}

TEST_CASE("without decay and bonus RWKV-4 is attention by keys over all steps so far") {
  const nn::Recurrent rnn = random_layer(8);
  parameter_of(rnn, "decay").set(full({kHidden}, -800.0, Dtype::float64));
  parameter_of(rnn, "bonus").set(zeros({kHidden}, Dtype::float64));
  for (const char* mix : {"mix_r", "mix_k", "mix_v"})
    parameter_of(rnn, mix).set(ones({kInputs}, Dtype::float64));
  const Tensor x = random({6, 2, kInputs}, 9);
  const Variable k = linear(x, parameter_of(rnn, "key.weight"));
  const Variable v = linear(x, parameter_of(rnn, "value.weight"));
  const Variable r = linear(x, parameter_of(rnn, "receptance.weight"));
  const Variable attention = sum(softmax(k, 0) * v, {0});  // of the last step, which sees them all
  const Variable expected =
      linear(sigmoid(select(r, 0, 5)) * attention, parameter_of(rnn, "output.weight"));
  expect_close(select(rnn(x).outputs, 0, 5).value(), expected.value());
}

TEST_CASE("the decays of a new RWKV-4 go from slow to fast") {
  const nn::RWKV4 cell(2, 9);
  for (const nn::Module::Named& named : cell.named_parameters())
    if (named.name == "decay") {
      CHECK(named.parameter.value().at({0}) == doctest::Approx(-5.0));
      CHECK(named.parameter.value().at({8}) == doctest::Approx(3.0));
    }
  CHECK(nn::RWKV4(1, 1).parameters().size() == 9);  // no division by H - 1 = 0
}

TEST_CASE("RWKV-4 refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::RWKV4(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::RWKV4(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
