// Sequences that are run in segments, each again in the backward pass, to save memory.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include "support/cells.hpp"
#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

constexpr Index kSteps = 23;
constexpr std::size_t kLeastMemory = 1;  // no sequence fits, so segments are as short as is useful

struct Run {
  std::vector<Tensor> values;     // outputs, then the state
  std::vector<Tensor> gradients;  // of x, then of the parameters
  std::size_t operations = 0;
};

/// A run of a layer over x with gradients of all that it returns.
template <class Layer, class... Options>
Run run(const Layer& rnn, const Tensor& x, const Options&... options) {
  Tape tape;
  const Variable input = tape.watch(x);
  const auto [outputs, state] = rnn(input, {}, options...);
  Run all;
  all.operations = tape.statistics().operations;
  all.values.push_back(outputs.value());
  Variable loss = sum(square(outputs));
  for (const Variable& part : state) {
    all.values.push_back(part.value());
    loss = loss + sum(sin(part));
  }
  Gradients gradients = tape.gradients(loss);
  all.gradients.push_back(gradients[input].value());
  for (const Parameter& parameter : rnn.parameters())
    all.gradients.push_back(gradients[parameter].value());
  return all;
}

/// The same layer in float64.
template <class Layer>
Layer exact(Layer layer) {
  layer.to(Dtype::float64);
  return layer;
}

void expect_same(const Run& segments, const Run& whole) {
  REQUIRE(segments.values.size() == whole.values.size());
  for (std::size_t k = 0; k < whole.values.size(); ++k)
    expect_close(segments.values[k], whole.values[k], 1e-13);
  REQUIRE(segments.gradients.size() == whole.gradients.size());
  for (std::size_t k = 0; k < whole.gradients.size(); ++k)
    expect_close(segments.gradients[k], whole.gradients[k], 1e-11);
}

}  // namespace

TEST_CASE("a checkpointed layer computes what the layer computes, whatever its cell") {
  seed(1);
  const Tensor x = random({kSteps, 3, kCellInputs}, 2);
  for (const CellCase& cell : all_cells()) {
    CAPTURE(cell.file);
    const nn::Recurrent rnn = cell.make();
    const Run whole = run(rnn, x);
    expect_same(run(rnn.checkpointed(kLeastMemory), x), whole);
    const Run segments = run(rnn.stepwise().checkpointed(kLeastMemory), x);
    expect_same(segments, whole);
    CHECK(segments.operations < run(rnn.stepwise(), x).operations);
  }
}

TEST_CASE("lengths, direction and targets are those of the whole sequence in every segment") {
  seed(3);
  const Tensor x = random({kSteps, 3, 2}, 4);
  const auto lstm = exact(nn::Recurrent(nn::LSTM(2, 4)));
  const nn::UnrollOptions backwards{.lengths = {7, 23, 16}, .reverse = true};
  expect_same(run(lstm.checkpointed(kLeastMemory), x, backwards), run(lstm, x, backwards));
  const nn::UnrollOptions ends{.lengths = {1, 22, 12}};
  expect_same(run(lstm.checkpointed(kLeastMemory), x, ends), run(lstm, x, ends));

  const auto jordan = exact(nn::Recurrent(nn::Jordan(2, 4, 3)));
  for (Index forced : {1, 11, 23}) {
    CAPTURE(forced);
    const nn::UnrollOptions targets{.targets = random({forced, 3, 3}, 5)};
    expect_same(run(jordan.checkpointed(kLeastMemory), x, targets), run(jordan, x, targets));
  }
}

TEST_CASE("layers of a stack and both directions can be checkpointed") {
  seed(6);
  const Tensor x = random({kSteps, 2, 3}, 7);
  const auto both = exact(nn::Bidirectional(nn::LSTM(3, 4), nn::GRU(3, 2)));
  expect_same(run(both.checkpointed(kLeastMemory), x), run(both, x));

  const auto lower = exact(nn::Recurrent(nn::LSTM(3, 4)));
  const auto whole = exact(nn::Stacked(lower, nn::GRU(4, 2)));
  const auto segments = exact(nn::Stacked(lower.checkpointed(kLeastMemory), nn::GRU(4, 2)));
  Tape tape;
  const std::size_t before = tape.statistics().operations;
  whole(Variable(x));
  const std::size_t of_whole = tape.statistics().operations - before;
  segments(Variable(x));
  CHECK(tape.statistics().operations - before - of_whole < of_whole);
}

TEST_CASE(
    "a budget that the sequence keeps to changes nothing, and none is needed without a tape") {
  seed(8);
  const Tensor x = random({kSteps, 2, 3}, 9);
  const auto rnn = exact(nn::Recurrent(nn::LSTM(3, 4)));
  CHECK(run(rnn.checkpointed(100 << 20), x).operations == run(rnn, x).operations);
  expect_close(rnn.checkpointed(1)(x).outputs.value(), rnn(x).outputs.value(), 0.0);
}

TEST_CASE("the tape saves as much as the budget allows") {
  const Tensor x = random({2000, 1, 8}, 10).to(Dtype::float32);
  const nn::Recurrent rnn{nn::LSTM(8, 32)};
  const auto peak = [&](const nn::Recurrent& layer) {
    Tape tape;
    const std::size_t before = memory::statistics().bytes_in_use;
    memory::reset_peak();
    const Variable loss = sum(square(layer(x).outputs));
    const std::size_t saved = memory::statistics().bytes_in_use - before;
    tape.gradients(loss);
    CHECK(saved > 0);
    return memory::statistics().peak_bytes - before;
  };
  const std::size_t whole = peak(rnn);
  std::size_t last = whole;
  for (std::size_t budget : {whole / 4, whole / 16}) {
    CAPTURE(budget);
    const std::size_t limited = peak(rnn.checkpointed(budget));
    CHECK(limited < last);
    // The outputs and their gradients come on top: [2000,1,32] each, and once more in segments.
    CHECK(limited < 2 * budget + 4 * 2000 * 32 * sizeof(float));
    last = limited;
  }
}

TEST_CASE("random numbers that a cell draws are the same when a segment runs again") {
  /// An Elman cell that forgets inputs at random.
  class Forgetful : public nn::Elman {
   public:
    using nn::Elman::Elman;
    nn::Step step(const Variable& x, const nn::State& state) const override {
      return nn::Elman::step(dropout(x, 0.5), state);
    }
  };
  seed(11);
  const auto rnn = exact(nn::Recurrent(Forgetful(3, 4)));
  const Tensor x = random({kSteps, 2, 3}, 12);
  seed(13);
  const Run whole = run(rnn, x);
  seed(13);
  expect_same(run(rnn.checkpointed(kLeastMemory), x), whole);
}
