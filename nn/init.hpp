#pragma once

#include <autograd/tensor/random.hpp>

/// First values of weights. All draw from the thread's generator: unroll::seed(n) makes them
/// repeat.
namespace unroll::nn::init {

/// Uniform over +-1/sqrt(fan_in), the default of PyTorch's Linear and recurrent layers. `weight:
/// [out,in]`.
Tensor pytorch_default(const Shape& shape, Index fan_in);
/// Uniform over +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010). `shape: [out,in]`.
Tensor xavier_uniform(const Shape& shape);

}  // namespace unroll::nn::init
