#pragma once

#include <autograd/tape/variable.hpp>

namespace unroll {

/// Running sums, products and maxima along an axis. x: any shape, float32 or float64; the result
/// has its shape and dtype. The derivative of a product is right at zeros too; cummax gives the
/// gradient to the last of equals. A NaN stays from its position on. Throws ArgumentError for an
/// axis that x does not have, DtypeError for int64.
Variable cumsum(const Variable& x, int axis);
Variable cumprod(const Variable& x, int axis);
Variable cummax(const Variable& x, int axis);

}  // namespace unroll
