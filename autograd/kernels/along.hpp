#pragma once

#include <autograd/tensor/tensor.hpp>

/// Kernels along the rows of contiguous matrices, unless said otherwise; `index` is int64,
/// positions in a row. Results are contiguous.
namespace unroll::kernels {

enum class Extreme { min, max };

/// index[r] = where row r is extreme: the first of equals, and the first NaN if there is one.
/// `x: [R,n]` with n > 0, any dtype; `index: [R]`.
void extreme_rows(const Tensor& x, Extreme which, Tensor& index);

/// index[r][k] = where the first k + 1 elements of row r are largest: the last of equals, and the
/// last NaN if there is one. `x: [R,n]` floating, `index: [R,n]`.
void running_max_rows(const Tensor& x, Tensor& index);

/// index[r][k] = where the number of row r stands that is k-th in order, the first of equals first;
/// a NaN counts as larger than any number. `x: [R,n]`, any dtype; `index: [R,k]` with k <= n.
void order_rows(const Tensor& x, bool descending, Tensor& index);

/// Any rank, dtype and strides: result[..., k, ...] = x[..., index[..., k, ...], ...], the position
/// k standing on `axis`. `index` and `result` have one shape, that of x but for this axis.
void take_along(const Tensor& x, const Tensor& index, int axis, Tensor& result);

/// The opposite, with the same shapes: result[..., index[..., k, ...], ...] += x[..., k, ...], in
/// row-major order.
void add_along(const Tensor& x, const Tensor& index, int axis, Tensor& result);

/// Sums of each row up to every position, or from it on, carried in double; `x: [R,n]` floating.
void running_sum_rows(const Tensor& x, bool backwards, Tensor& result);

/// result[r] = 1 if any, or if all, of row r are not 0, else 0; `x: [R,n]`, any dtype.
void any_rows(const Tensor& x, Tensor& result);
void all_rows(const Tensor& x, Tensor& result);

/// True when no product of some of the factors of a row can overflow or lose digits to underflow,
/// zeros apart. `x: [R,n]`
bool any_order_will_do(const Tensor& x);

}  // namespace unroll::kernels
