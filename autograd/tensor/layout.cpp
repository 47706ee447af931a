#include <autograd/tensor/error.hpp>
#include <autograd/tensor/layout.hpp>
#include <autograd/tensor/memory.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>

namespace unroll::detail {
namespace {

std::size_t mix(std::size_t hash, const Dims& dims) {
  for (Index n : dims) hash = (hash ^ static_cast<std::size_t>(n)) * 0x9E3779B97F4A7C15U;
  return hash;
}

/// The layouts that never end: they outlive every thread and every static tensor.
class Table {
 public:
  /// Null if there is none like it and the table is full.
  const Layout* find(std::size_t hash, const Shape& shape, const Strides& strides, Dtype dtype) {
    const std::lock_guard lock(mutex_);
    const auto [first, last] = by_hash_.equal_range(hash);
    for (auto at = first; at != last; ++at)
      if (at->second->shape == shape && at->second->strides == strides &&
          at->second->dtype == dtype)
        return at->second;
    if (layouts_.size() >= LayoutReference::kMostKept) return nullptr;
    fill(layouts_.emplace_back(), shape, strides, dtype);
    by_hash_.emplace(hash, &layouts_.back());
    return &layouts_.back();
  }

  static void fill(Layout& layout, const Shape& shape, const Strides& strides, Dtype dtype) {
    layout.shape = shape;
    layout.strides = strides;
    layout.dtype = dtype;
    layout.contiguous = is_row_major(shape, strides);
    layout.size = size_of(shape);
  }

 private:
  std::mutex mutex_;
  std::deque<Layout> layouts_;
  std::unordered_multimap<std::size_t, const Layout*> by_hash_;
};

const Layout* kept(const Shape& shape, const Strides& strides, Dtype dtype) {
  static Table& table = *new Table;
  return table.find(mix(mix(static_cast<std::size_t>(dtype), shape), strides), shape, strides,
                    dtype);
}

const Layout* counted(const Shape& shape, const Strides& strides, Dtype dtype) {
  auto* layout = new (memory::allocate(sizeof(Layout))) Layout;
  Table::fill(*layout, shape, strides, dtype);
  layout->counted = true;
  layout->references = 1;
  return layout;
}

/// What a thread looked up last, by hash: in steady state nothing else is asked.
constexpr int kCacheBits = 8;
using Cache = std::array<const Layout*, std::size_t{1} << kCacheBits>;
constinit thread_local Cache row_major_cache{};
constinit thread_local Cache strided_cache{};

const Layout*& entry(Cache& cache, std::size_t hash) {
  return cache[hash >> (8 * sizeof(std::size_t) - kCacheBits)];
}

void check_size(const Shape& shape) {
  // Products of sizes up to this neither overflow nor pass the largest block of memory.
  constexpr Index kMostElements = Index{1} << 42;
  Index size = 1;
  bool fits = true;
  for (Index n : shape) {
    if (n < 0) throw ShapeError("tensor: a size is negative in " + to_string(shape));
    fits = fits && !__builtin_mul_overflow(size, std::max<Index>(n, 1), &size);
  }
  if (!fits || size > kMostElements)
    throw ShapeError("tensor: no memory holds a tensor of shape " + to_string(shape));
}

}  // namespace

LayoutReference LayoutReference::of(const Shape& shape, const Strides& strides, Dtype dtype) {
  const Layout*& known =
      entry(strided_cache, mix(mix(static_cast<std::size_t>(dtype), shape), strides));
  if (known && known->shape == shape && known->strides == strides && known->dtype == dtype)
    return LayoutReference(known);
  check_size(shape);
  if (const Layout* layout = kept(shape, strides, dtype)) return LayoutReference(known = layout);
  return LayoutReference(counted(shape, strides, dtype));
}

LayoutReference LayoutReference::row_major(const Shape& shape, Dtype dtype) {
  const Layout*& known = entry(row_major_cache, mix(static_cast<std::size_t>(dtype), shape));
  if (known && known->shape == shape && known->dtype == dtype) return LayoutReference(known);
  check_size(shape);
  const Strides strides = unroll::row_major(shape);
  if (const Layout* layout = kept(shape, strides, dtype)) return LayoutReference(known = layout);
  return LayoutReference(counted(shape, strides, dtype));
}

void LayoutReference::drop() noexcept {
  if (layout_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  layout_->~Layout();
  memory::release(const_cast<Layout*>(layout_), sizeof(Layout));
}

}  // namespace unroll::detail
