#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

/// Recycling memory: blocks that are given back are kept by size and handed out again, so a
/// training step in steady state asks the operating system for nothing. Each thread keeps its own
/// blocks: no lock. It keeps no more than it has itself used at a time, and a little: what it
/// releases for others beyond that goes back.
namespace unroll::memory {

/// Alignment of every block, in bytes: a cache line and the widest vector register.
inline constexpr std::size_t kAlignment = 64;

/// Counts of the calling thread.
struct Statistics {
  std::uint64_t requests = 0;         ///< blocks handed out
  std::uint64_t bytes_requested = 0;  ///< in all blocks ever handed out
  std::uint64_t allocations = 0;      ///< blocks or slabs that had to come from the system
  std::size_t bytes_in_use = 0;       ///< handed out less given back by this thread, at least 0;
                                      ///< see bytes_in_use() for those of all threads
  std::size_t bytes_cached = 0;       ///< in blocks kept for the next request
  std::size_t peak_bytes = 0;         ///< highest bytes_in_use since reset_peak()
};

const Statistics& statistics();
void reset_peak();

/// Handed out and not given back, by whichever thread: of the whole program. Exact when no other
/// thread computes meanwhile.
std::size_t bytes_in_use();

/// Gives the calling thread's kept blocks back to the system.
void release_cached();

/// Bounds what the calling thread takes from the system while it lives: a request beyond it throws
/// std::bad_alloc. Blocks that the thread keeps and hands out again do not count, nor is subtracted
/// what goes back. Inside another limit, that one holds too.
///
///     const memory::Limit limit(64 << 20);
///     Model model(sizes_from_a_file);
class Limit {
 public:
  explicit Limit(std::size_t bytes);
  ~Limit();
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  std::size_t left_outside_, given_;
};

/// A block of at least `bytes` bytes, uninitialised. Throws std::bad_alloc, also beyond a Limit.
void* allocate(std::size_t bytes);

/// Gives back a block got with the same `bytes`, from any thread.
void release(void* block, std::size_t bytes) noexcept;

/// Lets standard containers draw on the recycled blocks.
template <class T>
struct Allocator {
  /// Of the allocator's requirements in the standard.
  using value_type = T;
  Allocator() = default;
  template <class U>
  Allocator(const Allocator<U>& /*other*/) {}
  /// A block for n elements, of the calling thread's pool.
  T* allocate(std::size_t n) { return static_cast<T*>(memory::allocate(n * sizeof(T))); }
  /// Returns it, on any thread.
  void deallocate(T* block, std::size_t n) noexcept { memory::release(block, n * sizeof(T)); }
  friend bool operator==(const Allocator&, const Allocator&) { return true; }
};

/// A vector whose memory comes from the pools.
template <class T>
using Vector = std::vector<T, Allocator<T>>;

/// A counted reference to a block of bytes; copies share the block.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);
  Buffer(const Buffer& other) noexcept : header_(other.header_) {
    if (header_) header_->references.fetch_add(1, std::memory_order_relaxed);
  }
  Buffer(Buffer&& other) noexcept : header_(std::exchange(other.header_, nullptr)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(header_, other.header_);
    return *this;
  }
  ~Buffer() {
    if (header_) drop();
  }

  std::byte* data() const { return reinterpret_cast<std::byte*>(header_) + kAlignment; }
  std::size_t bytes() const { return header_ ? header_->bytes : 0; }
  /// True when no other Buffer refers to the block.
  bool unique() const {
    return header_ && header_->references.load(std::memory_order_acquire) == 1;
  }
  explicit operator bool() const { return header_ != nullptr; }
  friend bool operator==(const Buffer& a, const Buffer& b) { return a.header_ == b.header_; }

 private:
  struct alignas(kAlignment) Header {
    std::atomic<std::int64_t> references{1};
    std::size_t bytes = 0;
  };
  void drop() noexcept;

  Header* header_ = nullptr;
};

}  // namespace unroll::memory
