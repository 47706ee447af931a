#pragma once

#include <autograd/tensor.hpp>

#include <memory>
#include <string>

namespace unroll {

/// A named value that outlives tapes and that optimizers change. A parameter is a handle: copies
/// refer to the same value, and `Parameter(p.name(), p.value())` is an independent one. It becomes
/// a leaf of whichever tape uses it.
class Parameter {
 public:
  Parameter(std::string name, Tensor value);

  const std::string& name() const { return state_->name; }
  const Tensor& value() const { return state_->value; }
  const Shape& shape() const { return state_->value.shape(); }
  Dtype dtype() const { return state_->value.dtype(); }

  /// Replaces the value. Throws ShapeError when the shape differs, ArgumentError for an undefined
  /// value; the dtype may change.
  void set(Tensor value);

  /// The value for writing in place. It is copied first when a tape or a user still refers to it,
  /// so nobody's saved values change.
  Tensor& mutable_value();

  /// Same value, not merely an equal one.
  friend bool operator==(const Parameter& a, const Parameter& b) { return a.state_ == b.state_; }
  /// Identifies the value in maps.
  const void* identity() const { return state_.get(); }

 private:
  struct State {
    std::string name;
    Tensor value;
  };
  std::shared_ptr<State> state_;
};

}  // namespace unroll
