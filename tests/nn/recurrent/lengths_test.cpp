// Sequences of unequal length in one batch, and runs from the last step to the first.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <limits>
#include <string>
#include <vector>

#include "support/cells.hpp"
#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

constexpr Index kSteps = 5;
const std::vector<Index> kLengths = {3, 5, 1};

Tensor batch(std::uint64_t which) { return random({kSteps, 3, kCellInputs}, which); }

/// Sequence b by itself, without its padding: [length,1,I].
Variable alone(const Variable& x, Index b) {
  return slice(slice(x, 1, b, b + 1), 0, 0, kLengths[static_cast<std::size_t>(b)]);
}

/// What stands past the ends of [T,B,N], all in one list.
std::vector<double> past_the_ends(const Tensor& x) {
  std::vector<double> values;
  for (Index b = 0; b < 3; ++b) {
    const Tensor rest = x.select(1, b).slice(0, kLengths[static_cast<std::size_t>(b)], kSteps);
    const std::vector<double> more = rest.to_vector<double>();
    values.insert(values.end(), more.begin(), more.end());
  }
  return values;
}

}  // namespace

TEST_CASE("each sequence of a batch gives what it gives alone, whatever its cell and direction") {
  seed(1);
  const Tensor x = batch(2);
  for (const CellCase& cell : all_cells())
    for (bool reverse : {false, true}) {
      CAPTURE(cell.file);
      CAPTURE(reverse);
      const nn::Recurrent rnn = cell.make();
      const auto [outputs, state] = rnn(x, {}, {.lengths = kLengths, .reverse = reverse});
      REQUIRE(outputs.shape() == Shape{kSteps, 3, rnn.cell().outputs()});
      for (Index b = 0; b < 3; ++b) {
        const auto [own, last] = rnn(alone(x, b), {}, {.reverse = reverse});
        expect_close(alone(outputs, b).value(), own.value(), 1e-14);
        for (std::size_t k = 0; k < last.size(); ++k)
          expect_close(state[k].value().slice(0, b, b + 1), last[k].value(), 1e-14);
      }
      const std::vector<double> rest = past_the_ends(outputs.value());
      CHECK(rest == std::vector<double>(rest.size(), 0.0));
    }
}

TEST_CASE("a reversed run is a run over the reversed sequence, its outputs turned back") {
  seed(3);
  const Tensor x = batch(4);
  for (const CellCase& cell : all_cells()) {
    CAPTURE(cell.file);
    const nn::Recurrent rnn = cell.make();
    const auto [outputs, state] = rnn(x, {}, {.reverse = true});
    const auto [turned, last] = rnn(flip(x, {0}));
    expect_close(outputs.value(), flip(turned, {0}).value(), 1e-14);
    for (std::size_t k = 0; k < last.size(); ++k)
      expect_close(state[k].value(), last[k].value(), 1e-14);
  }
}

TEST_CASE("a given state is where each sequence begins, in a reversed run at its own end") {
  nn::Recurrent rnn(nn::LSTM(kCellInputs, 4));
  rnn.to(Dtype::float64);
  const Tensor x = batch(5);
  const Tensor h = random({3, 4}, 6);
  const Tensor c = random({3, 4}, 7);
  for (bool reverse : {false, true}) {
    const auto [outputs, state] = rnn(x, {h, c}, {.lengths = kLengths, .reverse = reverse});
    for (Index b = 0; b < 3; ++b) {
      const auto [own, last] =
          rnn(alone(x, b), {h.slice(0, b, b + 1), c.slice(0, b, b + 1)}, {.reverse = reverse});
      expect_close(alone(outputs, b).value(), own.value(), 1e-14);
      expect_close(state[1].value().slice(0, b, b + 1), last[1].value(), 1e-14);
    }
  }
}

TEST_CASE("what stands past the end of a sequence changes nothing, and gets no gradient") {
  nn::Recurrent rnn(nn::GRU(kCellInputs, 4));
  rnn.to(Dtype::float64);
  const Tensor clean = batch(8);
  Tensor spoilt = clean.clone();
  for (Index b = 0; b < 3; ++b)
    for (Index t = kLengths[static_cast<std::size_t>(b)]; t < kSteps; ++t)
      for (Index i = 0; i < kCellInputs; ++i)
        spoilt.mutable_data<double>()[(t * 3 + b) * kCellInputs + i] =
            std::numeric_limits<double>::quiet_NaN();

  struct Run {
    std::vector<double> outputs, state, slopes, weights;
  };
  const auto run = [&](const Tensor& x, bool reverse) {
    Tape tape;
    const Variable watched = tape.watch(x);
    const auto [outputs, state] = rnn(watched, {}, {.lengths = kLengths, .reverse = reverse});
    const Gradients gradients = tape.gradients(sum(square(outputs)) + sum(state[0]));
    const Tensor slopes = gradients[watched].value();
    const std::vector<double> rest = past_the_ends(slopes);
    CHECK(rest == std::vector<double>(rest.size(), 0.0));
    return Run{outputs.value().to_vector<double>(), state[0].value().to_vector<double>(),
               slopes.to_vector<double>(),
               gradients[rnn.parameters()[0]].value().to_vector<double>()};
  };
  for (bool reverse : {false, true}) {
    const Run one = run(clean, reverse);
    const Run other = run(spoilt, reverse);
    CHECK(one.outputs == other.outputs);
    CHECK(one.state == other.state);
    CHECK(one.slopes == other.slopes);
    CHECK(one.weights == other.weights);
  }
}

TEST_CASE("lengths that are all T are no lengths, bit for bit") {
  nn::Recurrent rnn(nn::LSTM(kCellInputs, 4));
  rnn.to(Dtype::float64);
  const Tensor x = batch(9);
  const auto [outputs, state] = rnn(x, {}, {.lengths = {kSteps, kSteps, kSteps}});
  const auto [plain, last] = rnn(x);
  CHECK(outputs.value().to_vector<double>() == plain.value().to_vector<double>());
  CHECK(state[1].value().to_vector<double>() == last[1].value().to_vector<double>());
}

TEST_CASE("teacher forcing and lengths go together") {
  nn::Recurrent rnn(nn::Jordan(kCellInputs, 3, 2));
  rnn.to(Dtype::float64);
  const Tensor x = batch(10);
  const Tensor targets = random({kSteps, 3, 2}, 11);
  const auto [outputs, state] = rnn(x, {}, {.targets = targets, .lengths = kLengths});
  for (Index b = 0; b < 3; ++b) {
    const auto [own, last] = rnn(alone(x, b), {}, {.targets = alone(targets, b)});
    expect_close(alone(outputs, b).value(), own.value(), 1e-14);
    expect_close(state[0].value().slice(0, b, b + 1), last[0].value(), 1e-14);
  }
}

TEST_CASE("gradients with lengths agree with finite differences, in both directions") {
  seed(12);
  nn::Recurrent rnn(nn::LSTM(kCellInputs, 2));
  const auto with_state = [&](bool reverse) {
    return nn::gradcheck(rnn,
                         [&, reverse](std::span<const Variable> in) {
                           const auto [outputs, state] = rnn(
                               in[0], {in[1], in[2]}, {.lengths = kLengths, .reverse = reverse});
                           return sum(square(outputs)) + sum(state[0] * state[1]);
                         },
                         {batch(13), random({3, 2}, 14), random({3, 2}, 15)});
  };
  for (bool reverse : {false, true}) {
    const GradcheckReport report = with_state(reverse);
    CHECK_MESSAGE(report.passed, report.to_string());
  }
}

TEST_CASE("lengths that do not fit the batch are refused, with the sequence and the range") {
  const nn::Recurrent rnn(nn::GRU(kCellInputs, 4));
  const Tensor x = zeros({kSteps, 3, kCellInputs});
  const auto with = [&](std::vector<Index> lengths) {
    return [&, lengths] { rnn(x, {}, {.lengths = lengths}); };
  };
  expect_error<ShapeError>(with({5, 5}), {"recurrent", "2 lengths", "[5,3,2]", "3 sequences"});
  expect_error<ShapeError>(with({5, 5, 5, 5}), {"4 lengths", "3 sequences"});
  expect_error<ArgumentError>(with({5, 5, 6}), {"sequence 2 is 6", "0..5"});
  expect_error<ArgumentError>(with({5, -2, 5}), {"sequence 1 is -2", "0..5"});
  expect_error<ArgumentError>(with({-1, 5, 5}), {"sequence 0 is -1", "0..5"});
}

TEST_CASE("targets are refused in a reversed run") {
  const nn::Recurrent rnn(nn::Jordan(2, 3, 2));
  const Tensor x = zeros({4, 1, 2});
  expect_error<ArgumentError>([&] { rnn(x, {}, {.targets = x, .reverse = true}); },
                              {"recurrent", "targets", "reverse"});
}
