#pragma once

#include <autograd/tape/variable.hpp>

/// Products of real vectors with complex matrices and back, for linear cells with complex states.
/// An axis of 2 holds real and imaginary parts, as in complex_linear_scan. Each is one product of
/// real matrices. Throws ShapeError, DtypeError.
namespace unroll::nn {

/// B x for a real x: `x: [...,I]`, `matrix: [2,N,I]`, result `[...,2,N]`.
Variable complex_product(const Variable& x, const Variable& matrix);

/// Re(C h) + b: `h: [...,2,N]`, `matrix: [2,O,N]`, result `[...,O]`; `bias` is undefined or
/// broadcasts to the result.
Variable real_product(const Variable& h, const Variable& matrix, const Variable& bias = {});

}  // namespace unroll::nn
