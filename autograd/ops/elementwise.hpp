#pragma once

#include <autograd/tape/variable.hpp>

/// Elementwise operations. x, a, b: any shapes that broadcast as in NumPy, one dtype, float32 or
/// float64; the result has the broadcast shape and that dtype. Throws ShapeError when shapes do not
/// broadcast, DtypeError when dtypes differ or are int64.
namespace unroll {

Variable operator+(const Variable& a, const Variable& b);
Variable operator-(const Variable& a, const Variable& b);
Variable operator*(const Variable& a, const Variable& b);
Variable operator/(const Variable& a, const Variable& b);
Variable operator-(const Variable& x);
Variable operator+(const Variable& x, double c);
Variable operator+(double c, const Variable& x);
Variable operator-(const Variable& x, double c);
Variable operator-(double c, const Variable& x);
Variable operator*(const Variable& x, double c);
Variable operator*(double c, const Variable& x);
Variable operator/(const Variable& x, double c);
Variable operator/(double c, const Variable& x);

Variable abs(const Variable& x);  ///< derivative 0 at 0
Variable square(const Variable& x);
Variable sqrt(const Variable& x);
Variable exp(const Variable& x);
Variable expm1(const Variable& x);
Variable log(const Variable& x);
Variable log1p(const Variable& x);
Variable sin(const Variable& x);
Variable cos(const Variable& x);
Variable tanh(const Variable& x);
Variable sigmoid(const Variable& x);   ///< 1 / (1 + e^-x)
Variable softplus(const Variable& x);  ///< log(1 + e^x), without overflow
Variable relu(const Variable& x);      ///< max(0, x); derivative 0 at 0
Variable pow(const Variable& x, double exponent);
Variable pow(const Variable& x, const Variable& exponent);  ///< they broadcast
Variable pow(double base, const Variable& exponent);
Variable maximum(const Variable& a, const Variable& b);  ///< where equal, the gradient goes to b
Variable minimum(const Variable& a, const Variable& b);  ///< where equal, the gradient goes to b

}  // namespace unroll
