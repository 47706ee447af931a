// An LSTM of convolutions: its equations, weights that are shared over space, and locality.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

namespace unroll::testing {
namespace {

nn::ConvLSTM in_float64(Index input_channels, Index channels, Index length,
                        const nn::ConvLSTMOptions& options = {}) {
  nn::ConvLSTM cell(input_channels, channels, length, options);
  cell.to(Dtype::float64);
  return cell;
}

/// sum_ck weight[o][c][k] x[c][l + k - K/2] for `x: [C,L]`, zeros outside.
double convolve(const Numbers& weight, const Numbers& x, Index channels, Index length, Index kernel,
                Index o, Index l) {
  double sum = 0.0;
  for (Index c = 0; c < channels; ++c)
    for (Index k = 0; k < kernel; ++k) {
      const Index at = l + k - kernel / 2;
      if (at >= 0 && at < length)
        sum += weight[static_cast<std::size_t>((o * channels + c) * kernel + k)] *
               x[static_cast<std::size_t>(c * length + at)];
    }
  return sum;
}

void expect_by_hand(Index kernel) {
  constexpr Index kInputChannels = 2, kChannels = 3, kLength = 5, kSteps = 5, kBatch = 2;
  const nn::ConvLSTM cell = in_float64(kInputChannels, kChannels, kLength, {.kernel = kernel});
  CHECK(cell.outputs() == kChannels * kLength);
  const Weights w(cell);
  const Tensor x = random({kSteps, kBatch, kInputChannels * kLength}, 1, -3.0, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(x);
  for (Index b = 0; b < kBatch; ++b) {
    Numbers h(kChannels * kLength, 0.0), c = h;
    for (Index t = 0; t < kSteps; ++t) {
      const Numbers frame = at_step(x, t, b);
      Numbers next_h(h.size()), next_c(c.size());
      for (Index channel = 0; channel < kChannels; ++channel)
        for (Index l = 0; l < kLength; ++l) {
          const auto sum = [&](Index gate) {
            const Index o = gate * kChannels + channel;
            return convolve(w["weight_ih"], frame, kInputChannels, kLength, kernel, o, l) +
                   convolve(w["weight_hh"], h, kChannels, kLength, kernel, o, l) +
                   w["bias"][static_cast<std::size_t>(o)];
          };
          const auto at = static_cast<std::size_t>(channel * kLength + l);
          next_c[at] = logistic(sum(1)) * c[at] + logistic(sum(0)) * std::tanh(sum(2));
          next_h[at] = logistic(sum(3)) * std::tanh(next_c[at]);
        }
      h = next_h;
      c = next_c;
      expect_values(result.outputs.value().select(0, t).select(0, b), h);
    }
    expect_values(result.state[1].value().select(0, b), c);
  }
}

}  // namespace

TEST_CASE("a ConvLSTM computes the equations of its paper without peepholes") { expect_by_hand(3); }

TEST_CASE("a ConvLSTM whose kernel is longer than its rows sees zeros outside") {
  expect_by_hand(7);
}

TEST_CASE("ConvLSTM keeps the contract of a cell") {
  const nn::CellReport report = nn::check_cell(nn::ConvLSTM(2, 2, 3));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a ConvLSTM with a kernel of 1 is an LSTM at every position") {
  const Index length = 4;
  const nn::ConvLSTM cell = in_float64(2, 3, length, {.kernel = 1});
  nn::LSTM lstm(2, 3);
  lstm.to(Dtype::float64);
  set_all(lstm, "bias_hh", 0.0);
  for (auto [name, parameter] : lstm.named_parameters())
    for (const auto& [other, value] : cell.named_parameters())
      if (name == other || (name == "bias_ih" && other == "bias"))
        parameter.set(value.value().reshape(parameter.shape()));
  const Tensor x = random({5, 1, 2 * length}, 1);
  const Tensor outputs = nn::Recurrent(cell)(x).outputs.value().reshape({5, 3, length});
  // The positions as sequences of a batch.
  const Tensor columns = transpose(reshape(Variable(x), {5, 2, length}), 1, 2).value();
  const Tensor expected = nn::Recurrent(lstm)(columns).outputs.value();
  expect_close(outputs, transpose(Variable(expected), 1, 2).value());
}

TEST_CASE("what a ConvLSTM sees spreads by half a kernel in each step") {
  const Index length = 9;
  const nn::Recurrent rnn(in_float64(1, 2, length));
  Tensor x = random({3, 1, length}, 1);
  const Tensor before = rnn(x).outputs.value().reshape({3, 2, length});
  x.mutable_data<double>()[0] += 1.0;  // position 0 at step 0
  const Tensor after = rnn(x).outputs.value().reshape({3, 2, length});
  for (Index t = 0; t < 3; ++t)
    for (Index l = 0; l < length; ++l)
      CHECK((before.at({t, 0, l}) != after.at({t, 0, l})) == (l <= t + 1));
}

TEST_CASE("ConvLSTM refuses even kernels and sizes below 1") {
  expect_error<ArgumentError>([] { nn::ConvLSTM(1, 2, 5, {.kernel = 4}); },
                              {"ConvLSTM", "kernel", "odd", "4"});
  expect_error<ArgumentError>([] { nn::ConvLSTM(1, 2, 0); }, {"ConvLSTM", "length", "0"});
  expect_error<ArgumentError>([] { nn::ConvLSTM(1, 0, 5); }, {"ConvLSTM", "channels"});
}

}  // namespace unroll::testing
