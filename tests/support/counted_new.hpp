#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

/// Replaces operator new by one that counts, in the whole program: exactly one of its files
/// includes this.
namespace unroll::testing {

inline std::atomic<std::uint64_t> heap_allocations{0};

inline void* counted_new(std::size_t bytes, std::size_t alignment) {
  heap_allocations.fetch_add(1, std::memory_order_relaxed);
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* block = alignment <= alignof(std::max_align_t)
                    ? std::malloc(bytes > 0 ? bytes : 1)
                    : std::aligned_alloc(alignment, rounded > 0 ? rounded : alignment);
  if (!block) throw std::bad_alloc();
  return block;
}

}  // namespace unroll::testing

// NOLINTBEGIN(misc-definitions-in-headers): see above
void* operator new(std::size_t bytes) {
  return unroll::testing::counted_new(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return unroll::testing::counted_new(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
// NOLINTEND(misc-definitions-in-headers)
