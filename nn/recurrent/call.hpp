#pragma once

#include <autograd/tape/substitution.hpp>

#include <span>
#include <vector>

namespace unroll::nn {

/// A value that a cell makes once for each call of a layer and reads in its steps: `[B,...]`, a row
/// for each sequence, such as a mask that stays the same from step to step. A member of the cell;
/// Cell::prepare sets it.
class PerCall {
 public:
  PerCall();

  /// Throws ArgumentError outside of a call, and in one where it was not set.
  operator Variable() const;
  /// Whether it was set in the call that is running.
  bool is_set() const { return Substitution::find(place_) != nullptr; }

 private:
  friend class Call;
  Parameter place_;
};

/// One call of a layer, to the cell that prepares for it: what it makes now is what its steps read
/// until the call ends. It is the same in each of them, also where steps are run again.
class Call {
 public:
  Call(Index batch, Dtype dtype) : batch_(batch), dtype_(dtype) {}

  /// Number of sequences.
  Index batch() const { return batch_; }
  /// That of the input.
  Dtype dtype() const { return dtype_; }

  /// `value: [B,...]`. Throws ShapeError when its first axis is not B.
  void set(const PerCall& place, const Variable& value);
  /// Lets a parameter read as `value`, of its shape and dtype: a weight with dropout, or one
  /// derived from other parameters. Throws ShapeError and DtypeError when it does not fit.
  void set(const Parameter& parameter, const Variable& value);
  /// What the parameter reads as in this call so far.
  Variable value(const Parameter& parameter) const;

  // For what runs cells.

  /// Values of the call in force while the result lives.
  Substitution enter() const { return Substitution(entries_); }
  std::vector<Variable> values() const;
  /// The same call with other variables of the same values, such as those of another tape.
  Call with(std::span<const Variable> values) const;
  /// The call as constants.
  Call detached() const;
  /// The call of these sequences alone, in this order, one perhaps several times.
  Call of_sequences(const std::vector<Index>& sequences) const;

 private:
  void put(const Parameter& parameter, const Variable& value);

  Index batch_;
  Dtype dtype_;
  std::vector<Substitution::Entry> entries_;
};

}  // namespace unroll::nn
