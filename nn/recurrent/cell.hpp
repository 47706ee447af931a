#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>
#include <nn/recurrent/call.hpp>

#include <concepts>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

namespace unroll::nn {

/// The state of a cell, the batch axis first: one tensor `[B,H]` for an Elman network, hidden and
/// cell state for an LSTM, a matrix `[B,N,M]` for a memory. A value, passed in and out; no module
/// hides one.
class State {
 public:
  State() = default;
  template <std::convertible_to<Variable>... V>
  State(V&&... values) {
    values_.reserve(sizeof...(V));
    (values_.push_back(std::forward<V>(values)), ...);
  }

  bool empty() const { return values_.empty(); }
  std::size_t size() const { return values_.size(); }
  /// Throws ArgumentError when there is no such tensor.
  const Variable& operator[](std::size_t k) const {
    if (k >= values_.size()) [[unlikely]]
      throw_index(k);
    return values_[k];
  }
  Variable& operator[](std::size_t k) {
    if (k >= values_.size()) [[unlikely]]
      throw_index(k);
    return values_[k];
  }
  auto begin() { return values_.begin(); }
  auto begin() const { return values_.begin(); }
  auto end() { return values_.end(); }
  auto end() const { return values_.end(); }
  void push_back(Variable value) { values_.push_back(std::move(value)); }

 private:
  [[noreturn]] void throw_index(std::size_t k) const;

  memory::Vector<Variable> values_;
};

/// `[B,...]` for a state tensor of this shape.
Shape with_batch(Index batch, const Shape& shape);

/// The state as constants: where truncated backpropagation through time cuts.
State detach(const State& state);

/// What a step returns: the state after it and, where that is not all, its output.
struct Step {
  /// `output` is what Cell::output makes of the state.
  Step(State after) : state(std::move(after)) {}
  template <std::convertible_to<Variable>... V>
  requires(sizeof...(V) > 0) Step(V&&... values) : state(std::forward<V>(values)...) {}
  /// An output `[B,O]` of its own, which may read the input and the state before. Explicit, since
  /// `return {h, c}` is a state of two tensors.
  explicit Step(Variable output_of_step, State after)
      : output(std::move(output_of_step)), state(std::move(after)) {}

  Variable output;  ///< undefined where it is Cell::output of the state
  State state;
};

/// What a recurrent layer returns: `auto [outputs, state] = rnn(x)`.
struct Sequence {
  Variable outputs;  ///< [T,B,O], the cell's output at every step
  State state;       ///< after the last step
};

/// How Cell::run runs the steps.
struct RunOptions {
  bool reverse = false;             ///< from the last step to the first
  std::vector<Index> lengths = {};  ///< steps of each sequence, 0 to T; empty: all T
  Tensor resets = {};  ///< `[T,B]` of 0 and 1, of the dtype of x; undefined when there are none
  State start = {};    ///< of a sequence that a reset begins; empty when there are none

  /// `[T,B]`: 1 up to the end of each sequence, then 0; undefined when there are no lengths.
  Tensor running(Index steps, Dtype dtype) const;
  /// `[B]` of 0 and 1: where step t reads `start`, as it begins a sequence or, in reverse, is the
  /// last of one. Undefined where no sequence does.
  Tensor begins(Index t) const;
};

/// The shape of a state tensor without its batch axis: H, or {N, M}.
struct StateShape {
  StateShape(Index size) : shape{size} {}
  StateShape(std::initializer_list<Index> sizes) : shape(sizes) {}
  StateShape(Shape sizes) : shape(sizes) {}
  Shape shape;
};

/// One step of a recurrent network. To make a cell, derive from this class and write step();
/// unrolling, stacking, backpropagation through time and whatever else works on cells come from it.
class Cell : public Module {
 public:
  /// `state_shapes`: of each state tensor, without the batch axis: `{H}`, `{H, H}`, `{{N, M}, H}`.
  /// Throws ArgumentError when there are none or a size is below 1.
  Cell(Index inputs, std::initializer_list<StateShape> state_shapes);
  Cell(Index inputs, std::vector<Shape> state_shapes);

  Index inputs() const { return inputs_; }
  const std::vector<Shape>& state_shapes() const { return state_shapes_; }
  /// The number of elements of each state tensor, for one sequence.
  const std::vector<Index>& state_sizes() const { return state_sizes_; }

  /// Makes what stays the same over the sequences of a call, once for each call of a layer and
  /// before anything else of the cell runs in it: masks, which are PerCall members, and weights
  /// derived from parameters, which then read as those. A learning rule calls it for each part of a
  /// sequence, with the same random numbers. The default makes nothing.
  virtual void prepare(Call& /*call*/) const {}

  /// State before the first step; zeros unless overridden. `dtype` is that of the input. A learned
  /// start is a parameter `[H]`: `broadcast_to(start_, {batch, H})`.
  virtual State initial_state(Index batch, Dtype dtype) const;

  /// What of the input can be computed for several steps at once: `x: [T,B,I]` to `[T,B,P]`, biases
  /// included. The default passes x on. A long sequence comes in parts, each step in one of them,
  /// so what a step becomes must depend on that step of x alone.
  virtual Variable project(const Variable& x) const { return x; }

  /// One step: `x: [B,P]`, a slice of what project() returned, and the previous state, to the state
  /// after it and the output.
  virtual Step step(const Variable& x, const State& state) const = 0;

  /// All steps of `x: [T,B,I]`, T at least 1, at once, for a cell with a parallel form; the default
  /// has none and returns nothing. The outputs past the end of a sequence do not matter, the state
  /// is that at its end. The result must be that of the steps, which nn::check_cell checks.
  virtual std::optional<Sequence> run(const Variable& /*x*/, const State& /*state*/,
                                      const RunOptions& /*options*/) const {
    return std::nullopt;
  }

  /// The output `[B,O]` of a step that returned a state alone. The default is the first tensor, the
  /// hidden state. Override outputs() too when the size differs from that of state[0].
  virtual Variable output(const State& state) const { return state[0]; }
  /// O, the size of the output; that of the first state tensor unless overridden.
  virtual Index outputs() const { return state_sizes_[0]; }

  /// Teacher forcing: the state with the output that the next step will read replaced by
  /// `target: [B,O]`. To be overridden by cells that feed their output back; the default throws
  /// ArgumentError, as a cell that does not read its output has nothing to replace.
  virtual State force(const State& state, const Variable& target) const;

 private:
  Index inputs_;
  std::vector<Shape> state_shapes_;
  std::vector<Index> state_sizes_;
};

}  // namespace unroll::nn
