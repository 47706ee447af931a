#pragma once

#include <autograd/tape/variable.hpp>

/// Operations in pieces, elementwise: any shapes that broadcast as in NumPy, one dtype, float32 or
/// float64; the result has the broadcast shape and that dtype. Throws ShapeError when shapes do not
/// broadcast, DtypeError when dtypes differ or are int64.
namespace unroll {

Variable floor(const Variable& x);  ///< derivative 0, also at the jumps
Variable ceil(const Variable& x);   ///< derivative 0, also at the jumps
Variable round(const Variable& x);  ///< halves to the even number; derivative 0, also at the jumps
Variable sign(const Variable& x);   ///< -1, 0 or 1, and 0 for a NaN; derivative 0, also at 0

/// x held within low..high; a NaN stays one. At the kinks the derivative is 1. Throws ArgumentError
/// unless low <= high; one of them may be infinite.
Variable clamp(const Variable& x, double low, double high);
/// What remains of a after whole multiples of b are taken away, with the sign of a; exact. NaN
/// where b is 0. Jumps at multiples of b; the derivative is 1 by a, and minus the whole quotient by
/// b.
Variable fmod(const Variable& a, const Variable& b);
/// a + weight (b - a): a at weight 0 and b at weight 1, exactly.
Variable lerp(const Variable& a, const Variable& b, const Variable& weight);
Variable lerp(const Variable& a, const Variable& b, double weight);

/// a where the condition is not 0, otherwise b; the gradient goes to the one that was chosen. The
/// condition may have any dtype and broadcasts with the others; what comparison.hpp returns is one.
/// Throws ArgumentError when it is undefined.
Variable where(const Tensor& condition, const Variable& a, const Variable& b);
Variable where(const Tensor& condition, const Variable& a, double b);
Variable where(const Tensor& condition, double a, const Variable& b);

}  // namespace unroll
