#pragma once

#include <autograd/tape/variable.hpp>
#include <autograd/tensor/random.hpp>

namespace unroll {

/// Sets each element to zero with probability `rate` and divides the others by 1 - rate, so that
/// the expectation stays (Srivastava et al., 2014). `x`: any shape, float32 or float64. No mask is
/// saved: the gradient is the same operation, with the same numbers drawn again. The numbers do not
/// depend on how many threads there are. Rate 0 returns x and draws none; rate 1
/// gives zeros. Throws ArgumentError
/// unless 0 <= rate <= 1, DtypeError.
Variable dropout(const Variable& x, double rate, Generator& generator = default_generator());

}  // namespace unroll
