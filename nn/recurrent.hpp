#pragma once

#include <nn/cell.hpp>

#include <concepts>
#include <memory>
#include <utility>

namespace unroll::nn {

/// What a recurrent layer returns: `auto [outputs, state] = rnn(x)`.
struct Sequence {
  Variable outputs;  ///< [T,B,O], the cell's output at every step
  State state;       ///< after the last step
};

/// Unrolls a cell over time. Backpropagation through time falls out of the steps being on the tape.
class Recurrent : public Module {
 public:
  /// Parameters are named as the cell names them with `_l<layer>` appended, as in PyTorch:
  /// `weight_ih_l0`.
  template <std::derived_from<Cell> C>
  explicit Recurrent(C cell, int layer = 0)
      : cell_(std::make_shared<C>(add("", std::move(cell), "_l" + std::to_string(layer)))) {}

  /// `x: [T,B,I]`, T and B at least 1; `state`: that of an earlier call, or empty for the cell's
  /// initial state. Throws ShapeError when x or the state do not fit the cell, TapeError for a
  /// state of another tape.
  Sequence operator()(const Variable& x, const State& state = {}) const;

  const Cell& cell() const { return *cell_; }

 private:
  std::shared_ptr<const Cell> cell_;
};

}  // namespace unroll::nn
