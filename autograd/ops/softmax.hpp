#pragma once

#include <autograd/tape/variable.hpp>

namespace unroll {

/// e^x / sum e^x along an axis, without overflow. Any shape, float32 or float64; result of the
/// shape of x. Throws ShapeError for a scalar, ArgumentError for an axis outside, DtypeError.
Variable softmax(const Variable& x, int axis = -1);

/// log softmax(x) along an axis, without overflow or loss of digits.
Variable log_softmax(const Variable& x, int axis = -1);

}  // namespace unroll
