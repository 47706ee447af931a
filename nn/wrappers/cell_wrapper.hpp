#pragma once

#include <nn/recurrent/any_cell.hpp>

#include <optional>
#include <utility>

namespace unroll::nn {

/// A cell around another: everything is the inner cell's unless overridden. What wraps any cell,
/// built in or a user's, derives from this. Parameters keep the names that they have in the inner
/// cell. Where an inner cell has a parallel form and the wrapper overrides step(), it overrides
/// run() too: at least to return nothing.
class CellWrapper : public Cell {
 public:
  explicit CellWrapper(AnyCell inner);

  void prepare(Call& call) const override { inner_->prepare(call); }
  State initial_state(Index batch, Dtype dtype) const override {
    return inner_->initial_state(batch, dtype);
  }
  Variable project(const Variable& x) const override { return inner_->project(x); }
  Step step(const Variable& x, const State& state) const override { return inner_->step(x, state); }
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override {
    return inner_->run(x, state, options);
  }
  Variable output(const State& state) const override { return inner_->output(state); }
  Index outputs() const override { return inner_->outputs(); }
  State force(const State& state, const Variable& target) const override {
    return inner_->force(state, target);
  }

 protected:
  const Cell& inner() const { return *inner_; }

  /// `[T,B,P+N]`: `extra: [T,B,N]`, what step() needs beside what project() of the inner cell made.
  /// Throws ShapeError when that is not [T,B,P].
  static Variable pack(const Variable& projected, const Variable& extra);
  /// The two at one step: `x: [B,P+N]` with N = `extra`.
  static std::pair<Variable, Variable> unpack(const Variable& x, Index extra);
  /// A step of the inner cell, its output made of the state where it has none of its own.
  Step inner_step(const Variable& x, const State& state) const;

 private:
  AnyCell inner_;
};

}  // namespace unroll::nn
