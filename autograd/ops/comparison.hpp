#pragma once

#include <autograd/tape/variable.hpp>

/// Comparisons and logic, elementwise. They return tensors, since there is nothing to
/// differentiate. Inputs have any shapes that broadcast as in NumPy, and one dtype, int64 included;
/// the result has the broadcast shape and the same dtype, 1 for true and 0 for false, so that
/// it can be summed, averaged and multiplied with what was compared, and needs no further dtype. As
/// everywhere, every comparison with a NaN is false but not_equal. Throws ShapeError when shapes do
/// not broadcast, DtypeError when dtypes differ, ArgumentError for undefined inputs.
namespace unroll {

Tensor equal(const Variable& a, const Variable& b);
Tensor equal(const Variable& a, double b);
Tensor not_equal(const Variable& a, const Variable& b);
Tensor not_equal(const Variable& a, double b);
Tensor less(const Variable& a, const Variable& b);
Tensor less(const Variable& a, double b);
Tensor less_equal(const Variable& a, const Variable& b);
Tensor less_equal(const Variable& a, double b);
Tensor greater(const Variable& a, const Variable& b);
Tensor greater(const Variable& a, double b);
Tensor greater_equal(const Variable& a, const Variable& b);
Tensor greater_equal(const Variable& a, double b);

// Everything but 0 counts as true, a NaN too.
Tensor logical_and(const Variable& a, const Variable& b);
Tensor logical_or(const Variable& a, const Variable& b);
Tensor logical_xor(const Variable& a, const Variable& b);
Tensor logical_not(const Variable& x);

Tensor is_nan(const Variable& x);
Tensor is_inf(const Variable& x);     ///< infinite, of either sign
Tensor is_finite(const Variable& x);  ///< neither infinite nor NaN

}  // namespace unroll
