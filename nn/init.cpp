#include <autograd/tensor/error.hpp>
#include <nn/init.hpp>

#include <cmath>

namespace unroll::nn::init {

Tensor pytorch_default(const Shape& shape, Index fan_in) {
  if (fan_in < 1)
    throw ArgumentError("init: the number of inputs must be at least 1, it is " +
                        std::to_string(fan_in));
  const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in));
  return uniform(shape, -bound, bound);
}

Tensor xavier_uniform(const Shape& shape) {
  if (shape.rank() != 2 || shape[0] < 1 || shape[1] < 1)
    throw ShapeError("xavier_uniform: the shape must be [out,in], both at least 1, it is " +
                     to_string(shape));
  const double bound = std::sqrt(6.0 / static_cast<double>(shape[0] + shape[1]));
  return uniform(shape, -bound, bound);
}

}  // namespace unroll::nn::init
