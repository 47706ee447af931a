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
constexpr Index kKeys = 4;
constexpr Index kValues = 5;

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

nn::Recurrent random_layer(std::uint64_t seed) {
  nn::Recurrent rnn(nn::DeltaNet(kInputs, kKeys, kValues));
  randomize(rnn, seed);
  return rnn;
}

void set_rate(const nn::Recurrent& rnn, double bias) {
  parameter_of(rnn, "rate.weight").set(zeros({1, kInputs}, Dtype::float64));
  parameter_of(rnn, "rate.bias").set(full({1}, bias, Dtype::float64));
}

/// norm(silu(.)) of kKeys rows of qkv.weight, from `first` on.
Vector features(const HandWeights& weights, Index first, const Vector& x) {
  Vector u(at(kKeys));
  double squares = 1e-6;
  for (Index k = 0; k < kKeys; ++k) {
    const double z = weights.row("qkv.weight", first + k, x);
    u[at(k)] = z * logistic(z);
    squares += u[at(k)] * u[at(k)];
  }
  for (double& value : u) value /= std::sqrt(squares);
  return u;
}

}  // namespace

TEST_CASE("a DeltaNet computes the recurrence of its paper") {
  const nn::Recurrent rnn = random_layer(1);
  const HandWeights weights(rnn);
  // The state is {o, S}.
  const auto step = [&](const Vector& x, HandState& state) {
    const Vector q = features(weights, 0, x), k = features(weights, kKeys, x);
    const double beta = logistic(weights.row("rate.weight", 0, x) + weights.at("rate.bias", 0));
    for (Index v = 0; v < kValues; ++v) {
      const auto s = [&](Index key) -> double& { return state[1][at(key * kValues + v)]; };
      double stored = 0.0, read = 0.0;
      for (Index i = 0; i < kKeys; ++i) stored += k[at(i)] * s(i);
      const double value = weights.row("qkv.weight", 2 * kKeys + v, x);
      for (Index i = 0; i < kKeys; ++i) {
        s(i) += beta * k[at(i)] * (value - stored);
        read += q[at(i)] * s(i);
      }
      state[0][at(v)] = read;
    }
  };
  const Tensor x = random({5, 2, kInputs}, 2, -2.0, 2.0);
  const Tensor start = random({2, kKeys, kValues}, 3);
  const HandSequence expected = run_by_hand(
      x, {zeros({2, kValues}, Dtype::float64), start.reshape({2, kKeys * kValues})}, step);
  const auto [outputs, state] = rnn(x, {start});
  expect_values(outputs.value(), expected.outputs);
  expect_values(state[0].value(), expected.state[1]);
}

TEST_CASE("a DeltaNet keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report = nn::check_cell(nn::DeltaNet(kInputs, kKeys, 2));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a DeltaNet replaces the value under a key and leaves those under orthogonal keys") {
  // Inputs: a key, one-hot of two, and a value; query and key are the same.
  const nn::Recurrent rnn(nn::DeltaNet(3, 2, 1));
  parameter_of(rnn, "qkv.weight")
      .set(Tensor::of<double>({5, 3}, {1e4, 0, 0, 0, 1e4, 0, 1e4, 0, 0, 0, 1e4, 0, 0, 0, 1}));
  parameter_of(rnn, "rate.weight").set(zeros({1, 3}, Dtype::float64));
  parameter_of(rnn, "rate.bias").set(full({1}, 50.0, Dtype::float64));
  const Tensor x = Tensor::of<double>({3, 1, 3}, {1.0, 0.0, 0.7, 0.0, 1.0, -0.4, 1.0, 0.0, 5.0});
  const auto [outputs, state] = rnn(x);
  expect_values(outputs.value(), {0.7, -0.4, 5.0});
  expect_values(state[0].value(), {5.0, -0.4});  // linear attention would hold 5.7
}

TEST_CASE("a DeltaNet with a rate of 0 keeps its state") {
  const nn::Recurrent rnn = random_layer(4);
  set_rate(rnn, -800.0);
  const Tensor start = random({2, kKeys, kValues}, 5);
  expect_close(rnn(random({9, 2, kInputs}, 6), {start}).state[0].value(), start);
}

TEST_CASE("the state of a DeltaNet stays bounded over a long sequence") {
  const nn::Recurrent rnn = random_layer(7);
  set_rate(rnn, 50.0);
  const nn::State state = rnn(random({3000, 1, kInputs}, 8)).state;
  // Each step writes at most the largest value, 0.9 times 3 inputs of at most 1, in one direction.
  CHECK(max(abs(state[0])).item() < 2.7 * 2.0);
}

TEST_CASE("a DeltaNet refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::DeltaNet(0, 2, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::DeltaNet(2, 0, 2); }, {"state size", "0"});
  expect_error<ArgumentError>([] { nn::DeltaNet(2, 2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
