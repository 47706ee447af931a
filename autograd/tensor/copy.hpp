#pragma once

#include <autograd/tensor/tensor.hpp>

namespace unroll::kernels {

/// destination = source, elementwise over equal shapes, any strides, any dtypes (converted).
void copy(const Tensor& source, Tensor& destination);

/// destination += source, elementwise over equal shapes and equal floating dtypes, any strides.
void add_into(const Tensor& source, Tensor& destination);

/// Sets every element, for any dtype and strides.
void fill(Tensor& destination, double value);

/// destination *= factor, for a contiguous floating tensor.
void scale(Tensor& destination, double factor);

}  // namespace unroll::kernels
