#pragma once

#include <autograd/tensor/tensor.hpp>

#include <span>

namespace unroll::kernels {

/// The sum of the squares of all elements of contiguous floating tensors, in double, in one pass.
/// The order of the sum depends on the sizes alone, not on the number of threads.
double sum_of_squares(std::span<const Tensor> tensors);

}  // namespace unroll::kernels
