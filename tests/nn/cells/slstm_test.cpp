#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

constexpr nn::SLSTMOptions kVariants[] = {
    {.exponential_forget = false, .heads = 1},
    {.exponential_forget = true, .heads = 1},
    {.exponential_forget = false, .heads = 2},
    {.exponential_forget = true, .heads = 2},
};

/// Equations 8 to 14 of the paper, without a stabiliser: the state is {h, C, N}.
HandSequence unstabilised(const nn::Recurrent& rnn, const nn::SLSTMOptions& options,
                          const Tensor& x) {
  const HandWeights w(rnn);
  const Index size = kHidden / options.heads;
  const auto step = [&](const std::vector<double>& input, HandState& state) {
    const std::vector<double> h = state[0];
    for (Index k = 0; k < kHidden; ++k) {
      const Index head = k / size;
      const std::vector<double> read(h.begin() + head * size, h.begin() + (head + 1) * size);
      const auto net = [&](Index gate) {
        const Index row = head * 4 * size + gate * size + k % size;
        return w.row("weight_ih", row, input) + w.row("weight_hh", row, read) + w.at("bias", row);
      };
      const auto unit = static_cast<std::size_t>(k);
      const double i = std::exp(net(0));
      const double f = options.exponential_forget ? std::exp(net(1)) : logistic(net(1));
      state[1][unit] = f * state[1][unit] + i * std::tanh(net(2));
      state[2][unit] = f * state[2][unit] + i;
      state[0][unit] = logistic(net(3)) * state[1][unit] / state[2][unit];
    }
  };
  return run_by_hand(x, std::vector<Tensor>(3, zeros({x.size(1), kHidden}, Dtype::float64)), step);
}

nn::Recurrent random_slstm(const nn::SLSTMOptions& options, std::uint64_t seed) {
  nn::Recurrent rnn(nn::SLSTM(kInputs, kHidden, options));
  randomize(rnn, seed);
  return rnn;
}

/// Sets the biases of the gates of a single head.
void set_gates(const nn::Recurrent& rnn, double i, double f) {
  Tensor bias = parameter_of(rnn, "bias").value().clone();
  for (Index k = 0; k < kHidden; ++k) {
    bias.in_place<double>()[k] = i;
    bias.in_place<double>()[kHidden + k] = f;
  }
  parameter_of(rnn, "bias").set(bias);
}

bool all_finite(const Tensor& x) {
  for (const double value : x.to_vector<double>())
    if (!std::isfinite(value)) return false;
  return true;
}

}  // namespace

TEST_CASE("an sLSTM has the outputs of its equations without a stabiliser") {
  const Tensor x = random({6, 2, kInputs}, 1, -2.0, 2.0);
  for (const nn::SLSTMOptions& options : kVariants) {
    const nn::Recurrent rnn = random_slstm(options, 2);
    const auto [outputs, state] = rnn(x);
    const HandSequence expected = unstabilised(rnn, options, x);
    expect_values(outputs.value(), expected.outputs);
    const Variable scale = exp(state[3]);
    expect_values((state[1] * scale).value(), expected.state[1], 1e-11);
    expect_values((state[2] * scale).value(), expected.state[2], 1e-11);
  }
}

TEST_CASE("an sLSTM keeps the contract of a cell") {
  seed(1);
  for (const nn::SLSTMOptions& options : kVariants) {
    const nn::CellReport report = nn::check_cell(nn::SLSTM(kInputs, kHidden, options));
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("gates of e^200 and e^-200 neither overflow nor vanish in an sLSTM in float32") {
  for (const bool exponential : {false, true}) {
    for (const double i : {-200.0, 0.0, 200.0}) {
      for (const double f : {-200.0, 0.0, 200.0}) {
        CAPTURE(exponential);
        CAPTURE(i);
        CAPTURE(f);
        const nn::SLSTMOptions options{.exponential_forget = exponential};
        nn::Recurrent rnn = random_slstm(options, 3);
        set_gates(rnn, i, f);
        // Three steps are as many as double holds without the stabiliser: e^600.
        const Tensor x = random({3, 2, kInputs}, 4);
        const HandSequence expected = unstabilised(rnn, options, x);
        expect_values(rnn(x).outputs.value(), expected.outputs, 1e-11);

        rnn.to(Dtype::float32);
        const Variable narrow_outputs = rnn(x.to(Dtype::float32)).outputs;
        expect_values(narrow_outputs.value(), expected.outputs, 1e-4);

        Tape tape;
        const Variable long_x = tape.watch(narrow({40, 2, kInputs}, 5));
        const auto [outputs, state] = rnn(long_x);
        CHECK(all_finite(outputs.value()));
        for (const Variable& value : state) CHECK(all_finite(value.value()));
        const Gradients gradients = tape.gradients(sum(square(outputs)));
        CHECK(all_finite(gradients[long_x].value()));
        for (const Parameter& parameter : rnn.parameters())
          CHECK_MESSAGE(all_finite(gradients[parameter].value()), parameter.name());
      }
    }
  }
}

TEST_CASE("with gates of 1 an sLSTM returns the mean of its candidates so far") {
  const nn::Recurrent rnn = random_slstm({.exponential_forget = true}, 6);
  // i = f = 1, o = 1 and z = tanh(W x): only the candidate reads anything.
  parameter_of(rnn, "weight_hh").set(zeros({4 * kHidden, kHidden}, Dtype::float64));
  Tensor weight = zeros({4 * kHidden, kInputs}, Dtype::float64);
  for (Index k = 2 * kHidden; k < 3 * kHidden; ++k)
    weight.in_place<double>()[k * kInputs] = 0.5 * static_cast<double>(k - 2 * kHidden + 1);
  parameter_of(rnn, "weight_ih").set(weight);
  Tensor bias = zeros({4 * kHidden}, Dtype::float64);
  for (Index k = 3 * kHidden; k < 4 * kHidden; ++k) bias.in_place<double>()[k] = 50.0;
  parameter_of(rnn, "bias").set(bias);

  const Tensor x = random({30, 1, kInputs}, 7);
  std::vector<double> expected;
  std::vector<double> sum(kHidden, 0.0);
  for (Index t = 0; t < 30; ++t) {
    for (Index k = 0; k < kHidden; ++k) {
      const auto unit = static_cast<std::size_t>(k);
      sum[unit] += std::tanh(0.5 * static_cast<double>(k + 1) * x.at({t, 0, 0}));
      expected.push_back(sum[unit] / static_cast<double>(t + 1));
    }
  }
  expect_values(rnn(x).outputs.value(), expected);
}

TEST_CASE("an input gate far above those before it replaces what an sLSTM has stored") {
  const nn::Recurrent rnn = random_slstm({}, 8);
  parameter_of(rnn, "weight_hh").set(zeros({4 * kHidden, kHidden}, Dtype::float64));
  const Tensor x = random({5, 2, kInputs}, 9);
  const nn::State stored = rnn(x).state;
  set_gates(rnn, 100.0, 50.0);
  const Tensor revision = random({1, 2, kInputs}, 10);
  expect_close(rnn(revision, stored).outputs.value(), rnn(revision).outputs.value());
}

TEST_CASE("the heads of an sLSTM are the blocks of a block-diagonal recurrent matrix") {
  const nn::Recurrent two = random_slstm({.heads = 2}, 11);
  const nn::Recurrent one = random_slstm({}, 12);
  constexpr Index kSize = kHidden / 2;
  Tensor weight_hh = zeros({4 * kHidden, kHidden}, Dtype::float64);
  Tensor weight_ih = zeros({4 * kHidden, kInputs}, Dtype::float64);
  Tensor bias = zeros({4 * kHidden}, Dtype::float64);
  for (Index head = 0; head < 2; ++head) {
    for (Index gate = 0; gate < 4; ++gate) {
      for (Index k = 0; k < kSize; ++k) {
        const Index from = head * 4 * kSize + gate * kSize + k;
        const Index to = gate * kHidden + head * kSize + k;
        for (Index j = 0; j < kSize; ++j)
          weight_hh.in_place<double>()[to * kHidden + head * kSize + j] =
              parameter_of(two, "weight_hh").value().at({from, j});
        for (Index j = 0; j < kInputs; ++j)
          weight_ih.in_place<double>()[to * kInputs + j] =
              parameter_of(two, "weight_ih").value().at({from, j});
        bias.in_place<double>()[to] = parameter_of(two, "bias").value().at({from});
      }
    }
  }
  parameter_of(one, "weight_hh").set(weight_hh);
  parameter_of(one, "weight_ih").set(weight_ih);
  parameter_of(one, "bias").set(bias);
  const Tensor x = random({6, 2, kInputs}, 13);
  expect_close(two(x).outputs.value(), one(x).outputs.value());
}

TEST_CASE("an sLSTM refuses sizes below 1 and heads that do not divide its size") {
  expect_error<ArgumentError>([] { nn::SLSTM(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::SLSTM(2, 0); }, {"state size", "0"});
  expect_error<ArgumentError>([] { nn::SLSTM(2, 4, {.heads = 0}); }, {"SLSTM", "heads", "0"});
  expect_error<ArgumentError>([] { nn::SLSTM(2, 4, {.heads = 3}); }, {"SLSTM", "heads", "3", "4"});
}

}  // namespace unroll::testing
