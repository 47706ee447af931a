#pragma once

#include <autograd/tape/variable.hpp>

namespace unroll {

/// Matrix product. `a: [...,M,K]`, `b: [...,K,N]`, result `[...,M,N]`; leading axes broadcast.
/// Transposed views are used without a copy. The gradients of a `b: [K,N]` that is used several
/// times are collected and computed as one product. Throws ShapeError, DtypeError.
Variable matmul(const Variable& a, const Variable& b);

/// x W^T + b, the layout of PyTorch: `x: [...,I]`, `weight: [O,I]`, result `[...,O]`. `bias` is
/// `[O]`, or undefined, or whatever else broadcasts to the result: `linear(h, weight, projected)`
/// is the step of a recurrence in one operation. The weight gradients of all uses are computed as
/// one product. Throws ShapeError, DtypeError.
Variable linear(const Variable& x, const Variable& weight, const Variable& bias = {});

}  // namespace unroll
