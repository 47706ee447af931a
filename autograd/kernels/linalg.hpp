#pragma once

#include <autograd/tensor/tensor.hpp>

/// Dense linear algebra of single matrices, by LAPACK through xtensor-blas. Inputs are float32 or
/// float64 of any strides; results have their dtype, any strides, and are filled in place. Numbers
/// are finite and no size is 0.
namespace unroll::kernels {

/// result = a^-1, `[N,N]`. False when a is singular.
bool inverse(const Tensor& a, Tensor& result);

/// result = a^-1 b, `a: [N,N]`, `b: [N,K]`. False when a is singular.
bool solve(const Tensor& a, const Tensor& b, Tensor& result);

/// Lower triangular with result result^T = a, of which the lower triangle is read, `[N,N]`. False
/// when a is not positive definite.
bool cholesky(const Tensor& a, Tensor& result);

/// result = det a, `a: [N,N]`, a scalar.
void det(const Tensor& a, Tensor& result);

/// det a = sign * e^log_abs, `a: [N,N]`, scalars; 0 and -infinity when a is singular.
void slogdet(const Tensor& a, Tensor& sign, Tensor& log_abs);

/// a = u diag(s) vh with s falling, `a: [M,N]`, `u: [M,K]`, `s: [K]`, `vh: [K,N]`, K = min(M, N).
/// False when the iteration does not converge.
bool svd(const Tensor& a, Tensor& u, Tensor& s, Tensor& vh);

/// a vectors = vectors diag(values) with values rising, of a symmetric a whose lower triangle is
/// read: `a, vectors: [N,N]`, `values: [N]`. False when the iteration does not converge.
bool eigh(const Tensor& a, Tensor& values, Tensor& vectors);

}  // namespace unroll::kernels
