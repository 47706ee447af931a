#pragma once

#include <autograd/tensor.hpp>

/// Kernels over the rows of a matrix. `x` and results are floating; `indices` is int64.
namespace unroll::kernels {

/// result[k] = table[indices[k]], `table: [V,D]`, `indices: [n]` contiguous, `result: [n,D]`
/// contiguous.
void gather_rows(const Tensor& table, const Tensor& indices, Tensor& result);

/// table[indices[k]] += values[k], in the order of k; `table: [V,D]` contiguous, `values: [n,D]`.
void scatter_add_rows(const Tensor& values, const Tensor& indices, Tensor& table);

/// Softmax, or its logarithm, of every row of a contiguous `x: [n,C]` into a contiguous `result:
/// [n,C]`.
void softmax_rows(const Tensor& x, Tensor& result);
void log_softmax_rows(const Tensor& x, Tensor& result);

/// result[k] = -log softmax(x[k])[targets[k]], contiguous `x: [n,C]`, `targets: [n]`, `result:
/// [n]`.
void cross_entropy_rows(const Tensor& x, const Tensor& targets, Tensor& result);

/// x[k][targets[k]] -= 1, contiguous `x: [n,C]`.
void subtract_one_hot(Tensor& x, const Tensor& targets);

}  // namespace unroll::kernels
