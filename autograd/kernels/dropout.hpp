#pragma once

#include <autograd/tensor/random.hpp>
#include <autograd/tensor/tensor.hpp>

namespace unroll::kernels {

/// result[i] = x[i] * (0 with probability `rate`, otherwise 1 / (1 - rate)); both contiguous and
/// floating. Element i is decided by word i % 4 of block i / 4 of the generator, from its position
/// on, on whatever thread; the generator is moved past the blocks.
void dropout(const Tensor& x, double rate, Generator& generator, Tensor& result);

}  // namespace unroll::kernels
