#pragma once

#include <autograd/tape/variable.hpp>

#include <optional>

/// Reading and writing by position. Indices are int64, count from 0, and may not be negative. x:
/// any shape; its dtype, any unless said otherwise, is that of the result. Throws ArgumentError for
/// an index or axis outside, DtypeError for indices of another dtype, ShapeError.
namespace unroll {

/// Rows of a table: `table: [V,D]`, `indices: [...]`, result `[...,D]`; float32 or float64. The
/// gradient of the table stays a list of rows.
Variable embedding(const Variable& table, const Tensor& indices);

/// Along an axis, each place of the result its own index: for axis 1,
/// `result[i][k] = x[i][indices[i][k]]`. `indices` has the shape of x but for this axis, and gives
/// the result its shape.
Variable gather(const Variable& x, const Tensor& indices, int axis);
/// The opposite: x with `result[i][indices[i][k]] += values[i][k]`, in row-major order where
/// several meet. `values` has the shape of `indices`, which is that of x but for the axis; float32
/// or float64.
Variable scatter_add(const Variable& x, const Tensor& indices, const Variable& values, int axis);
/// Whole slices of x: `indices: [n]`, result of the shape of x with n along the axis. For rows of a
/// large table take `embedding`, whose gradient is smaller.
Variable index_select(const Variable& x, const Tensor& indices, int axis);
/// Elements by their number in row-major order: `indices: [...]` in 0..size-1, result `[...]`.
Variable take(const Variable& x, const Tensor& indices);

/// `value` where the mask is not 0, x elsewhere; no gradient passes the mask. The mask, of any
/// dtype, broadcasts to the shape of x. float32 or float64.
Variable masked_fill(const Variable& x, const Tensor& mask, double value);

/// Rows of zeros with a 1 at the index: `indices: [...]`, result `[...,classes]`.
Tensor one_hot(const Tensor& indices, Index classes, Dtype dtype = Dtype::float32);

namespace detail {
/// `values: [n,D]` added into zeros `[rows,D]` at `indices: [n]`: what embedding does to its
/// gradient.
Variable scatter_rows(const Variable& values, const Tensor& indices, Index rows);

/// gather without a look at the indices, under the name of the operation that made them.
Variable take_along(const char* operation, const Variable& x, const Tensor& indices, int axis);
}  // namespace detail

}  // namespace unroll
