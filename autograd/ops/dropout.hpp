#pragma once

#include <autograd/tape/variable.hpp>
#include <autograd/tensor/random.hpp>

namespace unroll {

/// Sets each element to zero with probability `rate` and divides the others by 1 - rate, which
/// keeps the expectation (Srivastava et al., 2014). `x`: any shape, float32 or float64. No mask is
/// saved: the backward pass draws the same mask again. The mask does not depend on the number of
/// threads. Rate 0 returns x and draws nothing; rate 1 returns zeros. Throws ArgumentError unless
/// 0 <= rate <= 1, DtypeError.
Variable dropout(const Variable& x, double rate, Generator& generator = default_generator());

}  // namespace unroll
