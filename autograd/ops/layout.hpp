#pragma once

#include <autograd/tape/gradient.hpp>
#include <autograd/tape/variable.hpp>

#include <array>
#include <initializer_list>
#include <span>
#include <vector>

/// Operations that rearrange. Those that can be a view share the buffer of x; none changes a dtype,
/// and all but sum_to take any dtype. An axis may be counted from the end (-1 is the last). Shapes
/// that do not fit throw ShapeError; axes and positions outside, and undefined inputs,
/// ArgumentError.
namespace unroll {

/// A copy with a place on the tape, and so a gradient, of its own, which a view has not.
Variable clone(const Variable& x);
Variable reshape(const Variable& x, const Shape& shape);                 ///< one size may be -1
Variable transpose(const Variable& x, int first = -2, int second = -1);  ///< swaps two axes
Variable permute(const Variable& x, std::span<const int> axes);
Variable permute(const Variable& x, std::initializer_list<int> axes);
Variable unsqueeze(const Variable& x, int axis);  ///< a new axis of size 1
Variable squeeze(const Variable& x, int axis);    ///< drops an axis of size 1
Variable broadcast_to(const Variable& x, const Shape& shape);
/// Sums over the axes along which a tensor of `shape` was broadcast to become x: the opposite of
/// broadcast_to.
Variable sum_to(const Variable& x, const Shape& shape);

/// Positions begin, begin + step, ... below end; negative ones count from the end. The gradient
/// costs the size of the slice, not of x, so cutting a sequence into its steps is linear in its
/// length.
Variable slice(const Variable& x, int axis, Index begin, Index end, Index step = 1);
/// One position along an axis, which is dropped: `select(x, 0, t)` of `x: [T,B,I]` is `[B,I]`.
Variable select(const Variable& x, int axis, Index position);

/// Cuts an axis into parts of these sizes.
std::vector<Variable> split(const Variable& x, std::span<const Index> sizes, int axis = -1);
/// Cuts an axis into N equal parts: `auto [i, f] = split<2>(gates)`.
template <std::size_t N>
std::array<Variable, N> split(const Variable& x, int axis = -1);

/// Concatenates tensors along an axis; other sizes must agree.
Variable concat(std::span<const Variable> parts, int axis = -1);
Variable concat(std::initializer_list<Variable> parts, int axis = -1);
/// Tensors of one shape along a new axis: T times `[B,H]` become `[T,B,H]`.
Variable stack(std::span<const Variable> parts, int axis = 0);
Variable stack(std::initializer_list<Variable> parts, int axis = 0);

namespace detail {
/// Zeros of `shape` with x in a part of it: what a view does to its gradient.
Variable embed(const Variable& x, const Shape& shape, const detail::Part& part);
/// `x: [...,D]` as its rows `[n,D]`; a copy when it is not contiguous.
Tensor rows_of(const Tensor& x);
void split_into(const Variable& x, std::span<const Index> sizes, int axis,
                std::span<Variable> parts);
void split_equally(const Variable& x, int axis, std::span<Variable> parts);
}  // namespace detail

template <std::size_t N>
std::array<Variable, N> split(const Variable& x, int axis) {
  std::array<Variable, N> parts;
  detail::split_equally(x, axis, parts);
  return parts;
}

}  // namespace unroll
