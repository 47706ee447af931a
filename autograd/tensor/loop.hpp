#pragma once

#include <autograd/tensor/shape.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace unroll::kernels {

/// The position, one index an axis, of element `flat` of the row-major order of a shape.
inline Shape position_of(Index flat, const Shape& shape) {
  Shape position(shape.rank(), 0);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    position[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  return position;
}

/// A walk over one shape by several operands at once, reduced to as few axes as their strides
/// allow. The last axis is the row that a kernel runs over; the axes before it are counted through.
template <int Capacity>
class Walk {
 public:
  /// `strides`: one entry an operand, at most Capacity, each of the rank of `shape`.
  Walk(const Shape& shape, std::span<const Strides> strides) : operands_(strides.size()) {
    const std::size_t count = std::min<std::size_t>(operands_, Capacity);
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      if (!shape_.empty() && mergeable(strides, shape, axis)) {
        shape_[shape_.rank() - 1] *= shape[axis];
        for (std::size_t k = 0; k < count; ++k) {
          Strides& mine = strides_[k];
          mine[mine.rank() - 1] = strides[k][axis];
        }
      } else {
        shape_.push_back(shape[axis]);
        for (std::size_t k = 0; k < count; ++k) strides_[k].push_back(strides[k][axis]);
      }
    }
    if (shape_.empty()) {
      shape_.push_back(1);
      for (std::size_t k = 0; k < count; ++k) strides_[k].push_back(1);
    }
  }
  Walk(const Shape& shape, std::initializer_list<Strides> strides)
      : Walk(shape, std::span<const Strides>(strides.begin(), strides.size())) {}

  Index row_size() const { return shape_.back(); }
  Index row_stride(std::size_t operand) const { return strides_[operand].back(); }

  /// Calls `row(offsets)` with the element offset of every operand at the start of each row.
  template <class F>
  void for_each_row(F&& row) const {
    if (size_of(shape_) == 0) return;
    std::array<Index, Capacity> offsets{};
    std::array<Index, kMaxRank> position{};
    const int outer = shape_.rank() - 1;
    while (true) {
      row(offsets);
      int axis = outer - 1;
      for (; axis >= 0; --axis) {
        Index& at = position[static_cast<std::size_t>(axis)];
        for (std::size_t k = 0; k < operands_; ++k) offsets[k] += strides_[k][axis];
        if (++at < shape_[axis]) break;
        for (std::size_t k = 0; k < operands_; ++k) offsets[k] -= strides_[k][axis] * shape_[axis];
        at = 0;
      }
      if (axis < 0) return;
    }
  }

 private:
  bool mergeable(std::span<const Strides> strides, const Shape& shape, int axis) const {
    for (std::size_t k = 0; k < std::min<std::size_t>(operands_, Capacity); ++k)
      if (strides_[k].back() != strides[k][axis] * shape[axis]) return false;
    return true;
  }

  Shape shape_;  // at least one axis
  std::size_t operands_;
  std::array<Strides, Capacity> strides_;
};

}  // namespace unroll::kernels
