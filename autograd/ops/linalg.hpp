#pragma once

#include <autograd/tape/variable.hpp>

/// Inverses, determinants and decompositions of matrices, by LAPACK. x: float32 or float64; leading
/// axes, as in `[...,N,N]`, number matrices that are treated one by one. Throws ShapeError for too
/// few axes or a matrix that should be square, DtypeError, ArgumentError for a NaN, an infinity,
/// and for a matrix outside the domain, which is then named by its number in row-major order.
/// Gradients come through inverses: near a singular matrix they are as large as these.
namespace unroll {

/// `[...,N,N]`. Throws ArgumentError for a singular matrix. To multiply with it, use `solve`.
Variable inverse(const Variable& x);

/// a^-1 b: `a: [...,N,N]`, `b: [...,N,K]`, result `[...,N,K]`; leading axes broadcast. Throws
/// ArgumentError for a singular matrix.
Variable solve(const Variable& a, const Variable& b);

/// The lower triangular L with positive diagonal and L L^T = x: `[...,N,N]`. x should be symmetric;
/// the function is that of (x + x^T) / 2, so gradients are symmetric too. Throws ArgumentError for
/// a matrix that is not positive definite. Derivative: Murray (2016), arXiv:1602.07527.
Variable cholesky(const Variable& x);

/// Determinants, `[...,N,N]` to `[...]`. The gradient throws ArgumentError at a singular matrix.
Variable det(const Variable& x);
/// Their logarithms, without overflow. Throws ArgumentError for a determinant that is not positive.
Variable logdet(const Variable& x);

/// det = sign e^log_abs.
struct SignedLogDet {
  Tensor sign;       ///< `[...]`: 1, -1, or 0 for a singular matrix
  Variable log_abs;  ///< `[...]`: -infinity for a singular matrix
};
SignedLogDet slogdet(const Variable& x);

/// x = u diag(s) vh, for `x: [...,M,N]` and K = min(M, N).
struct Svd {
  Variable u;   ///< `[...,M,K]`, orthonormal columns
  Variable s;   ///< `[...,K]`, not negative, falling
  Variable vh;  ///< `[...,K,N]`, orthonormal rows
};
/// The signs of the columns of u and rows of vh are not determined, so a loss should not depend on
/// them. Gradients of u and vh throw ArgumentError where singular values are equal, or 0 in a
/// matrix that is not square: they do not exist there, and are large nearby. Derivative: Townsend
/// (2016), "Differentiating the singular value decomposition".
Svd svd(const Variable& x);

/// x vectors = vectors diag(values), for a symmetric `x: [...,N,N]`.
struct Eigh {
  Variable values;   ///< `[...,N]`, rising
  Variable vectors;  ///< `[...,N,N]`, orthonormal columns
};
/// The function is that of (x + x^T) / 2. The signs of the vectors are not determined. Their
/// gradient throws ArgumentError where values are equal: it does not exist there. Derivative: Giles
/// (2008), "An extended collection of matrix derivative results", 3.1.
Eigh eigh(const Variable& x);

}  // namespace unroll
