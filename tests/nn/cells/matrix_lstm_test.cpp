#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

using Vector = std::vector<double>;

constexpr Index kInputs = 3;
constexpr Index kUnits = 4;

std::size_t at(Index k) { return static_cast<std::size_t>(k); }

/// Equations 19 to 27 of the paper, without a stabiliser: the state is {h, C, n}.
HandSequence unstabilised(const nn::Recurrent& rnn, bool exponential, const Tensor& x) {
  const HandWeights weights(rnn);
  const auto step = [&](const Vector& input, HandState& state) {
    const auto net = [&](Index block, Index k) {
      const Index row = block * kUnits + k;
      return weights.row("input.weight", row, input) + weights.at("input.bias", row);
    };
    const double i = std::exp(net(4, 0));
    const double f = exponential ? std::exp(net(4, 1)) : logistic(net(4, 1));
    Vector& memory = state[1];
    Vector& normaliser = state[2];
    double weight = 0.0;
    for (Index k = 0; k < kUnits; ++k) {
      const double key = net(1, k) / std::sqrt(static_cast<double>(kUnits));
      for (Index v = 0; v < kUnits; ++v) {
        double& cell = memory[at(v * kUnits + k)];
        cell = f * cell + i * net(2, v) * key;
      }
      normaliser[at(k)] = f * normaliser[at(k)] + i * key;
      weight += normaliser[at(k)] * net(0, k);
    }
    for (Index v = 0; v < kUnits; ++v) {
      double read = 0.0;
      for (Index k = 0; k < kUnits; ++k) read += memory[at(v * kUnits + k)] * net(0, k);
      state[0][at(v)] = logistic(net(3, v)) * read / std::max(std::abs(weight), 1.0);
    }
  };
  const Index batch = x.size(1);
  return run_by_hand(
      x,
      {zeros({batch, kUnits}, Dtype::float64), zeros({batch, kUnits * kUnits}, Dtype::float64),
       zeros({batch, kUnits}, Dtype::float64)},
      step);
}

nn::Recurrent random_mlstm(bool exponential, std::uint64_t seed) {
  nn::Recurrent rnn(nn::MLSTM(kInputs, kUnits, {.exponential_forget = exponential}));
  randomize(rnn, seed);
  return rnn;
}

void set_row(const nn::Recurrent& rnn, const std::string& name, Index row, const Vector& values) {
  Tensor whole = parameter_of(rnn, name).value().clone();
  std::copy(values.begin(), values.end(),
            whole.in_place<double>() + row * static_cast<Index>(values.size()));
  parameter_of(rnn, name).set(whole);
}

bool all_finite(const Variable& x) { return std::isfinite(sum(abs(x)).item()); }

}  // namespace

TEST_CASE("an mLSTM has the outputs of its equations without a stabiliser") {
  const Tensor x = random({6, 2, kInputs}, 1, -3.0, 3.0);
  for (const bool exponential : {false, true}) {
    const nn::Recurrent rnn = random_mlstm(exponential, 2);
    const auto [outputs, state] = rnn(x);
    const HandSequence expected = unstabilised(rnn, exponential, x);
    expect_values(outputs.value(), expected.outputs);
    const Variable scale = exp(state[2]);
    expect_values((state[0] * unsqueeze(scale, 2)).value(), expected.state[1]);
    expect_values((state[1] * scale).value(), expected.state[2]);
  }
}

TEST_CASE("an mLSTM keeps the contract of a cell") {
  seed(1);
  for (const bool exponential : {false, true}) {
    const nn::CellReport report =
        nn::check_cell(nn::MLSTM(kInputs, 2, {.exponential_forget = exponential}));
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("gates of e^200 and e^-200 neither overflow nor vanish in an mLSTM in float32") {
  for (const bool exponential : {false, true}) {
    for (const double i : {-200.0, 0.0, 200.0}) {
      for (const double f : {-200.0, 0.0, 200.0}) {
        CAPTURE(exponential);
        CAPTURE(i);
        CAPTURE(f);
        nn::Recurrent rnn = random_mlstm(exponential, 3);
        set_row(rnn, "input.bias", 4 * kUnits, {i});
        set_row(rnn, "input.bias", 4 * kUnits + 1, {f});
        // Three steps are as many as double holds without the stabiliser: e^600.
        const Tensor x = random({3, 2, kInputs}, 4);
        const HandSequence expected = unstabilised(rnn, exponential, x);
        expect_values(rnn(x).outputs.value(), expected.outputs, 1e-11);
        rnn.to(Dtype::float32);
        expect_values(rnn(x.to(Dtype::float32)).outputs.value(), expected.outputs, 1e-3);

        Tape tape;
        const Variable long_x = tape.watch(narrow({40, 2, kInputs}, 5));
        const auto [outputs, state] = rnn(long_x);
        CHECK(all_finite(outputs));
        for (const Variable& value : state) CHECK(all_finite(value));
        const Gradients gradients = tape.gradients(sum(square(outputs)));
        CHECK(all_finite(gradients[long_x]));
        for (const Parameter& parameter : rnn.parameters()) CHECK(all_finite(gradients[parameter]));
      }
    }
  }
}

TEST_CASE("an mLSTM returns the value that was stored with a key like the query") {
  // Inputs: the key and query, one-hot of two, then the value of the first unit.
  const nn::Recurrent rnn(nn::MLSTM(kInputs, kUnits, {.exponential_forget = true}));
  for (const Parameter& parameter : rnn.parameters())
    Parameter(parameter).set(zeros(parameter.shape(), Dtype::float64));
  for (const Index block : {0, 1})
    for (Index k = 0; k < 2; ++k) {
      Vector row(at(kInputs), 0.0);
      row[at(k)] = 10.0;
      set_row(rnn, "input.weight", block * kUnits + k, row);
    }
  set_row(rnn, "input.weight", 2 * kUnits, {0.0, 0.0, 1.0});
  set_row(rnn, "input.bias", 3 * kUnits, {50.0});  // the output gate of the first unit
  const Tensor x = Tensor::of<double>({4, 1, 3}, {1.0, 0.0, 0.7, 0.0, 1.0, -0.4,    // stored
                                                  1.0, 0.0, 0.7, 0.0, 1.0, -0.4});  // recalled
  const Variable outputs = select(rnn(x).outputs, -1, 0);
  expect_values(outputs.value(), {0.7, -0.4, 0.7, -0.4});
}

TEST_CASE("an mLSTM refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::MLSTM(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::MLSTM(2, 0); }, {"state size", "0"});
}

}  // namespace unroll::testing
