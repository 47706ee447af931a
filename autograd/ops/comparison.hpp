#pragma once

#include <autograd/tape/variable.hpp>

/// Comparisons and logic, elementwise. They return tensors, since there is nothing to
/// differentiate. Inputs have any shapes that broadcast as in NumPy, and one dtype, int64 included;
/// the result has the broadcast shape and the same dtype, 1 for true and 0 for false, and can be
/// summed, averaged and multiplied with the inputs. Comparisons with a NaN are false, except ne.
/// The names are those of PyTorch; less, any and the like would clash with std under two
/// using-directives. Throws ShapeError when shapes do not broadcast, DtypeError when dtypes differ,
/// ArgumentError for undefined inputs.
namespace unroll {

Tensor eq(const Variable& a, const Variable& b);
Tensor eq(const Variable& a, double b);
Tensor ne(const Variable& a, const Variable& b);
Tensor ne(const Variable& a, double b);
Tensor lt(const Variable& a, const Variable& b);
Tensor lt(const Variable& a, double b);
Tensor le(const Variable& a, const Variable& b);
Tensor le(const Variable& a, double b);
Tensor gt(const Variable& a, const Variable& b);
Tensor gt(const Variable& a, double b);
Tensor ge(const Variable& a, const Variable& b);
Tensor ge(const Variable& a, double b);

// Everything but 0 counts as true, a NaN too.
Tensor mask_and(const Variable& a, const Variable& b);
Tensor mask_or(const Variable& a, const Variable& b);
Tensor mask_xor(const Variable& a, const Variable& b);
Tensor mask_not(const Variable& x);

Tensor is_nan(const Variable& x);
Tensor is_inf(const Variable& x);     ///< infinite, of either sign
Tensor is_finite(const Variable& x);  ///< neither infinite nor NaN

}  // namespace unroll
