#pragma once

#include <autograd/tensor/tensor.hpp>

/// Kernels over the rows of a matrix. `x` and results are floating; `indices` is int64.
namespace unroll::kernels {

/// result[k] = table[indices[k]], `table: [V,D]`, `indices: [n]` contiguous, `result: [n,D]`
/// contiguous.
void gather_rows(const Tensor& table, const Tensor& indices, Tensor& result);

/// table[indices[k]] += values[k], in the order of k; `table: [V,D]` contiguous, `values: [n,D]`.
void scatter_add_rows(const Tensor& values, const Tensor& indices, Tensor& table);

}  // namespace unroll::kernels
