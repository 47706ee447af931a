#pragma once

#include <autograd/tensor/tensor.hpp>

#include <cstddef>

namespace unroll::detail {

/// The one tensor that `at(0)`, ..., `at(count - 1)`, concatenated along an axis, already make
/// up in memory; undefined when they do not. Steps of a sequence that were computed at their place
/// in it do. They must agree in rank, dtype and their other sizes.
template <class At>
Tensor joined_in_memory(std::size_t count, const At& at, int axis) {
  const Tensor& head = at(0);
  Shape shape = head.shape();
  for (std::size_t k = 1; k < count; ++k) shape[axis] += at(k).shape()[axis];
  const Strides strides = row_major(shape);
  const Index bytes = strides[axis] * static_cast<Index>(size_of(head.dtype()));
  const auto* expected = static_cast<const std::byte*>(head.address());
  for (std::size_t k = 0; k < count; ++k) {
    const Tensor& x = at(k);
    const bool fits = axis == 0 ? x.is_contiguous() : x.strides() == strides;
    if (!fits || x.address() != expected || !x.shares_buffer(head)) return {};
    expected += x.shape()[axis] * bytes;
  }
  return head.with_layout(shape, strides, 0);
}

}  // namespace unroll::detail
