#pragma once

#include <autograd/tape/variable.hpp>

/// Circular and hyperbolic functions, elementwise: x, a, b of any shapes that broadcast as in
/// NumPy, one dtype, float32 or float64; the result has the broadcast shape and that dtype. Outside
/// the domain the value is NaN. Throws ShapeError when shapes do not broadcast, DtypeError when
/// dtypes differ or are int64. sin, cos and tanh stand in elementwise.hpp.
namespace unroll {

Variable tan(const Variable& x);
Variable asin(const Variable& x);  ///< -1..1, in -pi/2..pi/2; infinite derivative at both ends
Variable acos(const Variable& x);  ///< -1..1, in 0..pi; infinite derivative at both ends
Variable atan(const Variable& x);  ///< in -pi/2..pi/2
Variable sinh(const Variable& x);
Variable cosh(const Variable& x);
Variable asinh(const Variable& x);
Variable acosh(const Variable& x);  ///< x >= 1; infinite derivative at 1
Variable atanh(const Variable& x);  ///< -1..1, infinite at both ends

/// The angle of the point (x, y) from the positive x axis, in -pi..pi, with a jump across the
/// negative one. At the origin the derivative is NaN.
Variable atan2(const Variable& y, const Variable& x);
/// sqrt(a^2 + b^2) without overflow in between. At the origin, a kink, the derivative is 0.
Variable hypot(const Variable& a, const Variable& b);

}  // namespace unroll
