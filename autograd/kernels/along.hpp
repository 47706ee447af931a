#pragma once

#include <autograd/tensor.hpp>

/// Kernels along the rows of contiguous matrices; `index` is int64, positions in a row. Results are
/// contiguous.
namespace unroll::kernels {

enum class Extreme { min, max };

/// index[r] = where row r is extreme: the first of equals, and the first NaN if there is one.
/// `x: [R,n]` with n > 0, any dtype; `index: [R]`.
void extreme_rows(const Tensor& x, Extreme which, Tensor& index);

/// index[r][k] = where the first k + 1 numbers of row r are largest: the last of equals, and the
/// last NaN if there is one. `x: [R,n]` floating, `index: [R,n]`.
void running_max_rows(const Tensor& x, Tensor& index);

/// result[r][k] = x[r][index[r][k]], `x: [R,n]`, `index: [R,k]`, any dtype.
void take_along_rows(const Tensor& x, const Tensor& index, Tensor& result);

/// result[r][index[r][k]] += x[r][k] in the order of k, `x: [R,k]`, `result: [R,n]`, floating.
void add_along_rows(const Tensor& x, const Tensor& index, Tensor& result);

/// Sums of each row up to every position, or from it on, carried in double; `x: [R,n]` floating.
void running_sum_rows(const Tensor& x, bool backwards, Tensor& result);

/// result[r] = 1 if any, or if all, of row r are not 0, else 0; `x: [R,n]`, any dtype.
void any_rows(const Tensor& x, Tensor& result);
void all_rows(const Tensor& x, Tensor& result);

}  // namespace unroll::kernels
