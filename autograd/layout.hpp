#pragma once

#include <autograd/dtype.hpp>
#include <autograd/shape.hpp>

namespace unroll {

/// How the elements of a tensor lie in memory. A program has few layouts and makes many tensors, so
/// equal layouts are one object, which is never changed and never ends: a tensor refers to its
/// layout, and tensors of one shape mostly know it without comparing numbers.
struct Layout {
  Shape shape;
  Strides strides;  ///< in elements
  Dtype dtype = Dtype::float32;
  bool contiguous = true;  ///< row-major without gaps
  Index size = 1;

  static const Layout* of(const Shape& shape, const Strides& strides, Dtype dtype);
  /// Throws ShapeError for a negative size and for more elements than memory can hold.
  static const Layout* row_major(const Shape& shape, Dtype dtype);
};

namespace detail {
/// Of tensors that are undefined.
inline constinit const Layout no_layout{};
}  // namespace detail

}  // namespace unroll
