#pragma once

#include <autograd/tape/variable.hpp>

/// Powers, logarithms and the functions of probability, elementwise: x of any shape, float32 or
/// float64; result of the shape and dtype of x. Outside the domain the value is NaN. Throws
/// DtypeError for int64. pow, sqrt, exp and log stand in elementwise.hpp.
namespace unroll {

Variable reciprocal(const Variable& x);  ///< 1 / x
Variable rsqrt(const Variable& x);       ///< 1 / sqrt(x), x >= 0
Variable cbrt(const Variable& x);        ///< negative x too; infinite derivative at 0
Variable exp2(const Variable& x);
Variable log2(const Variable& x);   ///< x >= 0
Variable log10(const Variable& x);  ///< x >= 0
Variable erf(const Variable& x);
Variable erfc(const Variable& x);  ///< 1 - erf(x), with all its digits where that is tiny
/// log |gamma(x)|; infinite at 0, -1, -2, ... Its derivative, digamma, is accurate to 1e-14 of the
/// larger of 1 and its value, and has derivatives itself.
Variable lgamma(const Variable& x);

}  // namespace unroll
