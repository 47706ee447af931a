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
constexpr nn::GatedLinearAttentionOptions kOptions{.gate_rank = 2, .temperature = 3.0};

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

nn::Recurrent random_layer(std::uint64_t seed) {
  nn::Recurrent rnn(nn::GatedLinearAttention(kInputs, kKeys, kValues, kOptions));
  randomize(rnn, seed);
  return rnn;
}

/// Makes every gate the same: sigmoid(bias)^(1 / temperature).
void set_gate(const nn::Recurrent& rnn, double bias) {
  parameter_of(rnn, "gate_up.weight").set(zeros({kKeys, 2}, Dtype::float64));
  parameter_of(rnn, "gate_up.bias").set(full({kKeys}, bias, Dtype::float64));
}

}  // namespace

TEST_CASE("gated linear attention computes the recurrence of its paper") {
  const nn::Recurrent rnn = random_layer(1);
  const HandWeights weights(rnn);
  // The state is {o, S}.
  const auto step = [&](const Vector& x, HandState& state) {
    state[0].assign(at(kValues), 0.0);
    const Vector down{weights.row("gate_down.weight", 0, x), weights.row("gate_down.weight", 1, x)};
    for (Index k = 0; k < kKeys; ++k) {
      const double z = weights.row("gate_up.weight", k, down) + weights.at("gate_up.bias", k);
      const double alpha = std::pow(logistic(z), 1.0 / kOptions.temperature);
      const double query = weights.row("qkv.weight", k, x);
      const double key = weights.row("qkv.weight", kKeys + k, x);
      for (Index v = 0; v < kValues; ++v) {
        double& s = state[1][at(k * kValues + v)];
        s = alpha * s + key * weights.row("qkv.weight", 2 * kKeys + v, x);
        state[0][at(v)] += query * s;
      }
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

TEST_CASE("gated linear attention keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report =
      nn::check_cell(nn::GatedLinearAttention(kInputs, 2, kValues, kOptions));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("with open gates gated linear attention is causal attention without softmax") {
  const nn::Recurrent rnn = random_layer(8);
  set_gate(rnn, 60.0);
  const Tensor x = random({6, 1, kInputs}, 9);
  const Variable qkv = linear(select(x, 1, 0), parameter_of(rnn, "qkv.weight"));
  const std::array<Index, 3> sizes{kKeys, kKeys, kValues};
  const std::vector<Variable> parts = split(qkv, sizes);
  std::vector<double> past;
  for (Index t = 0; t < 6; ++t)
    for (Index i = 0; i < 6; ++i) past.push_back(i <= t ? 1.0 : 0.0);
  const Variable attention =
      matmul(parts[0], transpose(parts[1])) * Variable(Tensor::of({6, 6}, past));
  expect_close(select(rnn(x).outputs, 1, 0).value(), matmul(attention, parts[2]).value());
}

TEST_CASE("with closed gates gated linear attention sees the present step alone") {
  const nn::Recurrent rnn = random_layer(10);
  set_gate(rnn, -300.0);
  const Tensor x = random({6, 2, kInputs}, 11);
  expect_close(select(rnn(x).outputs, 0, 5).value(),
               select(rnn(x.slice(0, 5, 6)).outputs, 0, 0).value());
}

TEST_CASE("gated linear attention refuses sizes, a rank and a temperature that are not positive") {
  using nn::GatedLinearAttention;
  expect_error<ArgumentError>([] { GatedLinearAttention(0, 2, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { GatedLinearAttention(2, 0, 2); }, {"state size", "0"});
  expect_error<ArgumentError>([] { GatedLinearAttention(2, 2, 0); }, {"state size", "0"});
  expect_error<ArgumentError>([] { GatedLinearAttention(2, 2, 2, {.gate_rank = 0}); },
                              {"GatedLinearAttention", "gate_rank", "0"});
  for (const double bad : {0.0, -1.0, HUGE_VAL, std::nan("")})
    expect_error<ArgumentError>([=] { GatedLinearAttention(2, 2, 2, {.temperature = bad}); },
                                {"GatedLinearAttention", "temperature"});
}

}  // namespace unroll::testing
