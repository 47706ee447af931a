#pragma once

#include <autograd/tensor/random.hpp>
#include <nn/recurrent/any_cell.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {

struct UnrollOptions {
  /// `[F,B,O]`, F at most T: teacher forcing. A cell that feeds its output back reads at step t + 1
  /// the target of step t in place of its output, for the first F steps: no gradient flows from
  /// one of them to another through the output. After them the loop is closed and the cell reads
  /// its own output. F = T is open-loop training; a shorter F a warm-up before a forecast.
  Variable targets = {};
  /// The number of steps that each sequence of the batch has, B entries from 0 to T; empty: T all.
  /// Past its end a sequence keeps its state and returns zeros. What x holds there does not
  /// matter, be it NaN, and its gradient is zero.
  std::vector<Index> lengths = {};
  /// From the last step to the first, each sequence from its own end. The outputs stay in the order
  /// of x, and the state is that after the first step. Not together with targets.
  bool reverse = false;
  /// `[T,B]` of 0 and 1, any dtype: 1 where a new sequence begins inside a row of the batch, such
  /// as the next document or episode. That step starts from the cell's initial state, and no
  /// gradient crosses the boundary. With `reverse` the step before the boundary does.
  /// Boundaries past the end of a sequence do not matter.
  Tensor resets = {};
  /// What Cell::prepare draws its random numbers from; none: default_generator(), which goes on.
  /// Calls with copies of one generator read the parts of a sequence under the same masks.
  std::optional<Generator> draws = {};
};

/// Unrolls a cell over time. Backpropagation through time falls out of the steps being on the tape.
class Recurrent : public Module {
 public:
  /// Parameters are named as the cell names them with `_l<layer>` appended, as in PyTorch:
  /// `weight_ih_l0`.
  explicit Recurrent(AnyCell cell, int layer = 0) : cell_(std::move(cell)) {
    add("", static_cast<const Module&>(*cell_), "_l" + std::to_string(layer));
  }

  /// The same cell under the names of another layer of a stack.
  Recurrent at_layer(int layer) const {
    Recurrent other(cell_, layer);
    other.budget_ = budget_;
    other.stepwise_ = stepwise_;
    return other;
  }

  /// The same layer without the cell's parallel form: it runs step by step.
  Recurrent stepwise() const {
    Recurrent other = *this;
    other.stepwise_ = true;
    return other;
  }

  /// The same layer with a budget, in bytes, for what the steps of one call save for the backward
  /// pass. A sequence that needs more is cut into segments: the tape keeps the state between them,
  /// and the backward pass runs each segment again (autograd/derivatives/checkpoint.hpp), which
  /// costs one more forward pass. Segments are as long as the budget allows; one below the least
  /// possible, which grows with the square root of T, is taken for that. Inputs, outputs and their
  /// gradients come on top.
  ///
  ///     nn::Recurrent rnn = nn::Recurrent(nn::LSTM(256, 256)).checkpointed(256 << 20);
  Recurrent checkpointed(std::size_t bytes) const {
    Recurrent other = *this;
    other.budget_ = bytes;
    return other;
  }

  /// `x: [T,B,I]`, B at least 1; with T = 0 the state passes through; `state`: that of an earlier
  /// call, or empty for the cell's initial state. The outputs are the cell's own, forced or not;
  /// the state after a forced last step holds its target, which allows forcing a sequence in parts.
  /// Throws ShapeError when x, the state or the targets do not fit the cell, or there are not B
  /// lengths; TapeError for a state of another tape; ArgumentError for a length outside 0..T, and
  /// for targets given to a cell that does not feed its output back or together with `reverse`.
  ///
  ///     rnn(x)                                  // closed loop from the first step
  ///     rnn(x, {}, {.targets = y})              // teacher forcing
  ///     rnn(x, {}, {.targets = y.slice(0, 0, 50)})  // 50 steps forced, the others a forecast
  ///     rnn(x, {}, {.lengths = {7, 5, 2}})          // B = 3
  Sequence operator()(const Variable& x, const State& state = {},
                      const UnrollOptions& options = {}) const;

  const Cell& cell() const { return *cell_; }

 private:
  AnyCell cell_;
  bool stepwise_ = false;
  std::size_t budget_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace unroll::nn
