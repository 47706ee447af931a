#pragma once

#include <autograd/tensor/dtype.hpp>
#include <autograd/tensor/shape.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace unroll::detail {

/// How the elements of a tensor lie in memory; never changed.
struct Layout {
  Shape shape;
  Strides strides;  ///< in elements
  Dtype dtype = Dtype::float32;
  bool contiguous = true;  ///< row-major without gaps
  bool counted = false;    ///< ends with the last reference to it; otherwise it never ends
  Index size = 1;
  mutable std::atomic<std::int64_t> references{0};  ///< if counted
};

/// Of tensors that are undefined.
inline constinit const Layout no_layout{};

/// What a tensor refers to its layout by. A program has few layouts and makes many tensors, so
/// equal layouts are one object that never ends, and a copy costs nothing. Only of a program that
/// goes on making new ones do those beyond the first kMostKept end with their last tensor.
class LayoutReference {
 public:
  static constexpr std::size_t kMostKept = std::size_t{1} << 14;

  static LayoutReference of(const Shape& shape, const Strides& strides, Dtype dtype);
  /// Throws ShapeError for a negative size and for more elements than memory can hold.
  static LayoutReference row_major(const Shape& shape, Dtype dtype);

  LayoutReference() = default;
  LayoutReference(const LayoutReference& other) noexcept : layout_(other.layout_) {
    if (layout_->counted) [[unlikely]]
      layout_->references.fetch_add(1, std::memory_order_relaxed);
  }
  LayoutReference(LayoutReference&& other) noexcept
      : layout_(std::exchange(other.layout_, &no_layout)) {}
  LayoutReference& operator=(LayoutReference other) noexcept {
    std::swap(layout_, other.layout_);
    return *this;
  }
  ~LayoutReference() {
    if (layout_->counted) [[unlikely]]
      drop();
  }

  const Layout* operator->() const { return layout_; }

 private:
  explicit LayoutReference(const Layout* layout) : layout_(layout) {}
  void drop() noexcept;

  const Layout* layout_ = &no_layout;
};

}  // namespace unroll::detail
