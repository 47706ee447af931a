// The clockwork network against its equations; its clocks; what it does not compute.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 6;  // two units in each of three groups

nn::Recurrent layer(const std::vector<Index>& periods, Index hidden = kHidden) {
  nn::Recurrent rnn(nn::ClockworkRNN(kInputs, hidden, {.periods = periods}));
  randomize(rnn, 1);
  return rnn;
}

TEST_CASE("a clockwork network follows its equations") {
  const std::vector<Index> periods{1, 2, 3};
  const nn::Recurrent rnn = layer(periods);
  const HandWeights w(rnn);
  const Tensor x = random({9, 3, kInputs}, 2);
  // Three sequences at three steps.
  const std::vector<Tensor> start{random({3, kHidden}, 3), Tensor::of<double>({3, 1}, {0, 1, 4})};
  const HandSequence expected =
      run_by_hand(x, start, [&](const std::vector<double>& input, HandState& state) {
        const std::vector<double> h = state[0];
        const auto t = static_cast<Index>(state[1][0]);
        for (Index j = 0; j < kHidden; ++j) {
          const Index group = j / 2;
          if (t % periods[static_cast<std::size_t>(group)] != 0) continue;
          const std::vector<double> read(h.begin() + 2 * group, h.end());
          state[0][static_cast<std::size_t>(j)] =
              std::tanh(w.row("weight_ih", j, input) + w.at("bias", j) +
                        w.row("weight_hh_" + std::to_string(group + 1), j % 2, read));
        }
        state[1][0] = static_cast<double>((t + 1) % 6);
      });
  const auto [outputs, state] = rnn(x, as_state(start));
  expect_values(outputs.value(), expected.outputs);
  expect_values(state[0].value(), expected.state[0]);
  expect_values(state[1].value(), expected.state[1], 0.0);
}

TEST_CASE("a clockwork network keeps the contract of cells") {
  for (const std::vector<Index>& periods :
       std::vector<std::vector<Index>>{{1, 2, 4}, {2, 3}, {3}}) {
    const nn::CellReport report =
        nn::check_cell(nn::ClockworkRNN(kInputs, kHidden, {.periods = periods}), {.steps = 7});
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("a clockwork network with the one period 1 is an Elman network") {
  const nn::Recurrent rnn = layer({1});
  const nn::Recurrent elman(nn::Elman(kInputs, kHidden));
  parameter_of(elman, "weight_ih").set(parameter_of(rnn, "weight_ih").value());
  parameter_of(elman, "weight_hh").set(parameter_of(rnn, "weight_hh_1").value());
  parameter_of(elman, "bias_ih").set(parameter_of(rnn, "bias").value());
  parameter_of(elman, "bias_hh").set(zeros({kHidden}, Dtype::float64));
  const Tensor x = random({8, 2, kInputs}, 4);
  expect_close(rnn(x).outputs.value(), elman(x).outputs.value());
}

TEST_CASE("a group of a clockwork network changes at multiples of its period only") {
  const std::vector<Index> periods{1, 2, 4};
  const Tensor outputs = layer(periods)(random({12, 1, kInputs}, 5)).outputs.value();
  for (Index t = 1; t < 12; ++t)
    for (Index j = 0; j < kHidden; ++j) {
      const bool changes = outputs.at({t, 0, j}) != outputs.at({t - 1, 0, j});
      CHECK(changes == (t % periods[static_cast<std::size_t>(j / 2)] == 0));
    }
}

TEST_CASE("a slow group of a clockwork network does not read the faster ones") {
  const nn::Recurrent rnn = layer({1, 2, 4});
  Tape tape;
  const Variable h = tape.watch(random({1, kHidden}, 6));
  const nn::State start{h, Variable(zeros({1, 1}, Dtype::float64))};
  const nn::State after = rnn(random({9, 1, kInputs}, 7), start).state;
  const Gradients gradients = tape.gradients(sum(slice(after[0], -1, 4, 6)));
  const std::vector<double> of_start = gradients[h].value().to_vector<double>();
  for (std::size_t j = 0; j < 4; ++j) CHECK(of_start[j] == 0.0);
  for (std::size_t j = 4; j < 6; ++j) CHECK(of_start[j] != 0.0);
}

TEST_CASE("a stream may go on beyond the cycle of a clockwork network") {
  const nn::Recurrent rnn = layer({1, 2, 3});
  const Tensor x = random({40, 2, kInputs}, 8);
  const Tensor whole = rnn(x).outputs.value();
  nn::State state;
  for (Index t = 0; t < 40; ++t) {
    const auto [outputs, after] = rnn(x.slice(0, t, t + 1), state);
    expect_close(outputs.value(), whole.slice(0, t, t + 1));
    const double clock = static_cast<double>((t + 1) % 6);
    expect_values(after[1].value(), {clock, clock}, 0.0);
    state = after;
  }
}

TEST_CASE("a clockwork network computes no group that no sequence needs") {
  const auto operations = [](const std::vector<Index>& periods) {
    const nn::Recurrent rnn = layer(periods);
    Tape tape;
    rnn(random({64, 2, kInputs}, 9));
    return tape.statistics().operations;
  };
  // The second group is due 1 instead of 32 times, the third 1 instead of 16 times.
  CHECK(operations({1, 1024, 2048}) + 31 + 15 <= operations({1, 2, 4}));
}

TEST_CASE("a clockwork network refuses periods that make no sense") {
  const auto refused = [](const std::vector<Index>& periods, const char* why) {
    expect_error<ArgumentError>([&] { nn::ClockworkRNN(1, kHidden, {.periods = periods}); },
                                {"ClockworkRNN", "periods", why});
  };
  refused({}, "at least one");
  refused({0, 1}, "{0, 1}");
  refused({2, 1}, "increase");
  refused({2, 2}, "increase");
  refused({1, 2, 4, 8}, "divide hidden, which is 6");
  refused({1, 1 << 24}, "2^24");
  refused({4095, 4096, 4097}, "2^24");
  nn::ClockworkRNN(1, kHidden, {.periods = {1, (1 << 24) - 1}});
  expect_error<ArgumentError>([] { nn::ClockworkRNN(1, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
