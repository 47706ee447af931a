#pragma once

#include <autograd/tape/variable.hpp>

/// Diagonals and triangles of matrices. x: any dtype, which the result keeps; leading axes, as in
/// `[...,M,N]`, number matrices. The main diagonal has the offset 0, those above it positive ones.
/// Throws ShapeError for too few axes, ArgumentError for an undefined x.
namespace unroll {

/// A diagonal of each matrix, `[...,M,N]` to `[...,L]`; empty where the offset lies outside. A
/// view.
Variable diagonal(const Variable& x, int offset = 0);
/// Square matrices with x on a diagonal and zeros elsewhere, `[...,L]` to `[...,N,N]` with
/// N = L + |offset|.
Variable diag_embed(const Variable& x, int offset = 0);
/// diag_embed of a vector, diagonal of a matrix, as in NumPy. Throws ShapeError for other ranks.
Variable diag(const Variable& x, int offset = 0);

/// The elements on and below a diagonal, zeros above it: `[...,M,N]`.
Variable tril(const Variable& x, int offset = 0);
/// The elements on and above a diagonal, zeros below it: `[...,M,N]`.
Variable triu(const Variable& x, int offset = 0);

}  // namespace unroll
