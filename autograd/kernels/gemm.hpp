#pragma once

#include <autograd/tensor/tensor.hpp>

namespace unroll::kernels {

/// c = a b + beta c, for `a: [M,K]`, `b: [K,N]`, `c: [M,N]` of one floating dtype and any strides.
/// The only caller of BLAS. Operands that lie in memory row by row or column by column are used in
/// place, transposed ones included; others are copied first. With beta 0, what c held is ignored.
void gemm(const Tensor& a, const Tensor& b, Tensor& c, double beta);

}  // namespace unroll::kernels
