#pragma once

#include <autograd/tape/variable.hpp>

#include <initializer_list>
#include <vector>

/// Operations that cut, turn and repeat, beside those of layout.hpp. x: any shape and dtype, which
/// the result keeps. An axis may be counted from the end. Views share the buffer of x. Throws
/// ArgumentError for an axis outside or an undefined x, ShapeError for a result that no memory
/// holds.
namespace unroll {

/// Cuts an axis into `count` parts of equal size, the last ones smaller or missing when it does not
/// divide; split<N> insists on equal parts. Views. Throws ArgumentError unless count >= 1.
std::vector<Variable> chunk(const Variable& x, Index count, int axis = -1);

/// The order of the positions along some axes reversed. A view. Throws ArgumentError for an axis
/// listed twice.
Variable flip(const Variable& x, std::initializer_list<int> axes);

/// Moves position i of an axis to i + shift; what leaves at one end enters at the other.
Variable roll(const Variable& x, Index shift, int axis);

/// `before` and `after` further positions at the ends of an axis, filled with a number. Throws
/// ArgumentError for a negative count; to take positions away is `slice`.
Variable pad(const Variable& x, int axis, Index before, Index after, double value = 0.0);

/// The whole of x again and again, counts[i] times along axis i: [1,2] twice is [1,2,1,2]. As in
/// NumPy, the counts of fewer axes are those of the last ones, and those of more make new first
/// axes. Throws ArgumentError for a negative count.
Variable tile(const Variable& x, const Shape& counts);

/// Each position of an axis `count` times in a row, as in NumPy: [1,2] twice is [1,1,2,2]. Throws
/// ArgumentError for a negative count.
Variable repeat(const Variable& x, Index count, int axis);

struct UnfoldOptions {
  Index stride = 1;    ///< from the start of one window to that of the next
  Index dilation = 1;  ///< from one position of a window to the next
};
/// Windows of `size` positions along an axis, which they replace; a new last axis runs over the
/// positions of a window: `x: [B,C,T]`, axis 2, gives `[B,C,N,size]` with
/// N = (T - dilation (size - 1) - 1) / stride + 1. A view, though windows overlap. Throws
/// ArgumentError for sizes below 1 and for windows longer than the axis.
Variable unfold(const Variable& x, int axis, Index size, const UnfoldOptions& options = {});

}  // namespace unroll
