#pragma once

#include <autograd/tape/variable.hpp>

/// Order along an axis. x: any shape and dtype. Equals keep the order in which they stand; a NaN
/// counts as larger than any number. Throws ArgumentError for an axis outside or an undefined x.
namespace unroll {

/// Sorted elements and their positions before sorting: `values` has the dtype of x, `indices` is
/// int64, both of one shape. The gradient of a value goes to its position in x; it jumps where two
/// values are equal.
struct Sorted {
  Variable values;
  Tensor indices;
};

/// All elements along an axis; the shape of x.
Sorted sort(const Variable& x, int axis = -1, bool descending = false);
/// The indices alone: `gather(x, argsort(x, axis), axis)` is sorted.
Tensor argsort(const Variable& x, int axis = -1, bool descending = false);
/// The `count` largest, the largest first, or smallest, the smallest first; this many stand along
/// the axis. Throws ArgumentError unless 0 <= count <= the size of the axis.
Sorted topk(const Variable& x, Index count, int axis = -1, bool largest = true);

}  // namespace unroll
