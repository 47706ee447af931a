#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

/// Replaces operator new by one that counts, in the whole program: exactly one of its files
/// includes this.
namespace unroll::testing {

inline std::atomic<std::uint64_t> heap_allocations{0};

inline void* counted_new_or_null(std::size_t bytes, std::size_t alignment) noexcept {
  heap_allocations.fetch_add(1, std::memory_order_relaxed);
  if (alignment <= alignof(std::max_align_t)) return std::malloc(bytes > 0 ? bytes : 1);
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
}

inline void* counted_new(std::size_t bytes, std::size_t alignment) {
  void* block = counted_new_or_null(bytes, alignment);
  if (!block) throw std::bad_alloc();
  return block;
}

}  // namespace unroll::testing

// Every form is replaced, so that none of a sanitizer's own meets one of these in a pair.
// NOLINTBEGIN(misc-definitions-in-headers): see above
#define UNROLL_COUNTED_NEW(name)                                                             \
  void* operator name(std::size_t bytes) {                                                   \
    return unroll::testing::counted_new(bytes, alignof(std::max_align_t));                   \
  }                                                                                          \
  void* operator name(std::size_t bytes, std::align_val_t alignment) {                       \
    return unroll::testing::counted_new(bytes, static_cast<std::size_t>(alignment));         \
  }                                                                                          \
  void* operator name(std::size_t bytes, const std::nothrow_t&) noexcept {                   \
    return unroll::testing::counted_new_or_null(bytes, alignof(std::max_align_t));           \
  }                                                                                          \
  void* operator name(std::size_t bytes, std::align_val_t alignment,                         \
                      const std::nothrow_t&) noexcept {                                      \
    return unroll::testing::counted_new_or_null(bytes, static_cast<std::size_t>(alignment)); \
  }
#define UNROLL_COUNTED_DELETE(name)                                                             \
  void operator name(void* block) noexcept { std::free(block); }                                \
  void operator name(void* block, std::size_t) noexcept { std::free(block); }                   \
  void operator name(void* block, std::align_val_t) noexcept { std::free(block); }              \
  void operator name(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); } \
  void operator name(void* block, const std::nothrow_t&) noexcept { std::free(block); }         \
  void operator name(void* block, std::align_val_t, const std::nothrow_t&) noexcept {           \
    std::free(block);                                                                           \
  }
UNROLL_COUNTED_NEW(new)
UNROLL_COUNTED_NEW(new[])
UNROLL_COUNTED_DELETE(delete)
UNROLL_COUNTED_DELETE(delete[])
#undef UNROLL_COUNTED_NEW
#undef UNROLL_COUNTED_DELETE
// NOLINTEND(misc-definitions-in-headers)
