#pragma once

#include <autograd/tensor/tensor.hpp>

namespace unroll::kernels {

/// result = sum of x over the axes on which `result` has size 1 and x does not. Equal rank, one
/// floating dtype, result contiguous. Added in blocks whose order is fixed; long sums are carried
/// in double.
void sum(const Tensor& x, Tensor& result);

}  // namespace unroll::kernels
