#pragma once

#include <autograd/tensor/tensor.hpp>

#include <cstdint>
#include <utility>

namespace unroll {

class Parameter;

namespace detail {
class GradientBuffer;
}
namespace extension {
class GradientDestination;
class TapeAccess;
}  // namespace extension

/// A tensor and, when an operation has recorded it, its place on the tape. Operations take and
/// return variables; a tensor converts to a variable that is a constant.
class Variable {
 public:
  /// No value at all; defined() is false.
  Variable() = default;
  /// A constant: no gradient flows to it.
  Variable(Tensor value) : value_(std::move(value)) {}
  /// The parameter's value; a leaf of the tape that is alive, a constant when there is none.
  Variable(const Parameter& parameter);

  bool defined() const { return value_.defined(); }
  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  int rank() const { return value_.rank(); }
  /// Size of an axis; -1 is the last.
  Index size(int axis) const { return value_.size(axis); }
  Dtype dtype() const { return value_.dtype(); }
  /// The only element. Throws ShapeError when there are none or several.
  double item() const { return value_.item(); }

  /// True when the value depends on a leaf of some tape.
  bool recorded() const { return tape_ != 0; }
  /// Place and shape without the elements: what a vjp keeps of an input whose value it does
  /// not need.
  Variable without_value() const;
  /// The same variable with its elements elsewhere: `value` holds a copy of them, laid out alike.
  Variable with_value(Tensor value) const;

 private:
  friend class Tape;
  friend class BackwardPass;
  friend class detail::GradientBuffer;
  friend class extension::GradientDestination;
  friend class extension::TapeAccess;
  friend class Gradients;

  Tensor value_;
  std::uint64_t tape_ = 0;  // identity of the tape, 0 for a constant
  std::uint32_t slot_ = 0;
  // A view takes the place of the variable it shows, its base: 0, or 1 + the number by which the
  // tape knows the base's shape, and the element of the base that is the view's first.
  std::uint32_t base_ = 0;
  Index offset_ = 0;
};

/// The value as a constant: gradients stop here, and the value may enter another tape.
Variable detach(const Variable& x);

}  // namespace unroll
