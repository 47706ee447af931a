#include <autograd/tensor/memory.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif

namespace unroll::memory {
namespace {

// Sizes are counted in lines of the cache and rounded up to one of eight steps per power of two: at
// most an eighth of a block is wasted beside what fills its last line. The line before the numbers
// of a Buffer is left out, or every power of two would just miss its step.
constexpr std::size_t kSteps = 8;

constexpr std::size_t size_class(std::size_t bytes) {
  const std::size_t lines = (bytes + kAlignment - 1) / kAlignment;
  if (lines <= 1) return 0;
  const std::size_t last = lines - 2;
  if (last < kSteps) return last + 1;
  const auto log = static_cast<std::size_t>(std::bit_width(last)) - 1;
  return (log - 3) * kSteps + last / ((std::size_t{1} << log) / kSteps) + 1;
}

constexpr std::size_t class_bytes(std::size_t index) {
  if (index == 0) return kAlignment;
  std::size_t last = index - 1;
  if (last >= kSteps) {
    const std::size_t step = std::size_t{1} << (last / kSteps - 1);
    last = (last % kSteps + kSteps + 1) * step - 1;
  }
  return (last + 2) * kAlignment;
}

static_assert(class_bytes(size_class(64)) == 64 && class_bytes(size_class(65)) == 128);
static_assert(class_bytes(size_class(128)) == 128 && class_bytes(size_class(129)) == 192);
static_assert(class_bytes(size_class(4096 + 64)) == 4096 + 64);
static_assert(class_bytes(size_class(4096 + 65)) == 4096 + 512 + 64);
static_assert(class_bytes(size_class(std::size_t{1} << 40)) >= std::size_t{1} << 40);

constexpr std::size_t kClasses = size_class(std::size_t{1} << 46) + 1;

constexpr auto kClassBytes = [] {
  std::array<std::size_t, kClasses> bytes{};
  for (std::size_t index = 0; index < kClasses; ++index) bytes[index] = class_bytes(index);
  return bytes;
}();

struct FreeBlock {
  FreeBlock* next;
};

// AddressSanitizer sees one long life of a block that is handed out again and again. So it is told
// what of it may be touched: the bytes that were asked for, and of a kept block only the link.
#if defined(__SANITIZE_ADDRESS__)
#define UNROLL_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNROLL_ADDRESS_SANITIZER 1
#endif
#endif

void permit([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes,
            [[maybe_unused]] std::size_t rounded) noexcept {
#ifdef UNROLL_ADDRESS_SANITIZER
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(block) + bytes, rounded - bytes);
#endif
}

/// The block as a link in a list; nothing else of it may be touched.
FreeBlock* link(void* block, FreeBlock* next, std::size_t rounded) noexcept {
  permit(block, sizeof(FreeBlock), rounded);
  return new (block) FreeBlock{next};
}

// glibc returns only the end of its heap to the operating system. Blocks that come back to it in
// another order than they went leave holes, and a long run would grow by them. Looking for them
// costs some milliseconds: it is done once for so many bytes.
void return_holes([[maybe_unused]] std::size_t bytes) noexcept {
#ifdef __GLIBC__
  constexpr std::size_t kEvery = std::size_t{64} << 20;
  static std::atomic<std::size_t> since{0};
  if (since.fetch_add(bytes, std::memory_order_relaxed) + bytes < kEvery) return;
  since.store(0, std::memory_order_relaxed);
  malloc_trim(0);
#endif
}

// What Limit leaves to this thread.
constinit thread_local std::size_t left = std::numeric_limits<std::size_t>::max();

void* new_block(std::size_t bytes) {
  if (bytes > left) throw std::bad_alloc();
  void* const block = ::operator new (bytes, std::align_val_t{kAlignment});
  left -= bytes;
  return block;
}

void to_system(void* block, std::size_t rounded) noexcept {
  permit(block, rounded, rounded);
  ::operator delete (block, std::align_val_t{kAlignment});
  return_holes(rounded);
}

// Small blocks are cut from slabs, so that a million of them do not cost a million system calls.
// Slabs are never returned: what they hold is bounded by the peak of small blocks.
constexpr std::size_t kSlabBytes = std::size_t{1} << 18;
constexpr std::size_t kLargestFromSlab = std::size_t{1} << 12;

// Where the small blocks of a thread that ends wait for the next thread that needs them.
struct Orphans {
  std::mutex mutex;
  std::array<FreeBlock*, kClasses> free{};
};

Orphans& orphans() {
  static auto* instance =
      new Orphans;  // never destroyed: threads may end after the statics are gone
  return *instance;
}

/// What a pool has handed out less what it has taken back, below zero on a thread that releases the
/// blocks of others. The thread alone writes it; others may read it.
class InUse {
 public:
  InUse() {
    const std::scoped_lock lock(all().mutex);
    next_ = std::exchange(all().first, this);
  }
  ~InUse() {
    const std::scoped_lock lock(all().mutex);
    all().of_ended_threads += *this;
    InUse** link = &all().first;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
  }
  InUse(const InUse&) = delete;
  InUse& operator=(const InUse&) = delete;

  void operator+=(std::int64_t bytes) { bytes_.store(*this + bytes, std::memory_order_relaxed); }
  operator std::int64_t() const { return bytes_.load(std::memory_order_relaxed); }

  static std::int64_t of_all_threads() {
    const std::scoped_lock lock(all().mutex);
    std::int64_t sum = all().of_ended_threads;
    for (const InUse* one = all().first; one; one = one->next_) sum += *one;
    return sum;
  }

 private:
  struct All {
    std::mutex mutex;
    InUse* first = nullptr;
    std::int64_t of_ended_threads = 0;
  };
  static All& all() {
    static auto* instance = new All;  // never destroyed, as Orphans
    return *instance;
  }

  std::atomic<std::int64_t> bytes_{0};
  InUse* next_ = nullptr;
};

class Pool {
 public:
  Pool() { alive_ = true; }
  ~Pool() {
    release_cached();
    leave_small_blocks();
    alive_ = false;
  }

  void* allocate(std::size_t bytes) {
    const std::size_t index = size_class(bytes);
    if (index >= kClasses) throw std::bad_alloc();
    const std::size_t rounded = kClassBytes[index];
    void* block = free_[index];
    if (block) {
      free_[index] = free_[index]->next;
      statistics_.bytes_cached -= rounded;
    } else {
      block = from_system(index, rounded);
    }
    permit(block, bytes, rounded);
    ++statistics_.requests;
    statistics_.bytes_requested += rounded;
    in_use_ += static_cast<std::int64_t>(rounded);
    peak_ = std::max<std::int64_t>(peak_, in_use_);
    highest_ = std::max<std::int64_t>(highest_, in_use_);
    return block;
  }

  void release(void* block, std::size_t bytes) noexcept {
    const std::size_t index = size_class(bytes);
    const std::size_t rounded = kClassBytes[index];
    in_use_ += -static_cast<std::int64_t>(rounded);
    if (statistics_.bytes_cached + rounded > most_cached(4)) [[unlikely]]
      return give_away(block, index);
    free_[index] = link(block, free_[index], rounded);
    statistics_.bytes_cached += rounded;
  }

  void release_cached() noexcept {
    for (std::size_t index = 0; index < kClasses; ++index) {
      const std::size_t bytes = class_bytes(index);
      if (bytes <= kLargestFromSlab) continue;
      while (free_[index]) {
        FreeBlock* next = free_[index]->next;
        to_system(free_[index], bytes);
        free_[index] = next;
        statistics_.bytes_cached -= bytes;
      }
    }
  }

  const Statistics& statistics() {
    const auto count = [](std::int64_t bytes) {
      return static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0));
    };
    statistics_.bytes_in_use = count(in_use_);
    statistics_.peak_bytes = count(peak_);
    return statistics_;
  }
  void reset_peak() { peak_ = in_use_; }

  // Objects with static lifetime may release their blocks after the thread's pool is gone.
  static bool alive() { return alive_; }

 private:
  /// A thread keeps as many halves of the most that it has used, and some blocks in any case.
  std::size_t most_cached(std::size_t halves) const {
    constexpr std::size_t kInAnyCase = std::size_t{8} << 20;
    return kInAnyCase + static_cast<std::size_t>(highest_) / 2 * halves;
  }

  /// For a thread that releases what others allocate: it would keep all that they ever ask for.
  static void give_away(void* block, std::size_t index) noexcept {
    if (kClassBytes[index] > kLargestFromSlab) {
      to_system(block, kClassBytes[index]);
      return;
    }
    const std::scoped_lock lock(orphans().mutex);
    orphans().free[index] = link(block, orphans().free[index], kClassBytes[index]);
  }

  /// Sizes that vary would otherwise each leave blocks behind. Only for a thread that has to ask
  /// the system anyway: one whose sizes repeat keeps all its blocks.
  void shrink_cache() noexcept {
    for (std::size_t index = kClasses; index-- > 0;) {
      const std::size_t bytes = kClassBytes[index];
      if (bytes <= kLargestFromSlab) return;
      while (free_[index]) {
        if (statistics_.bytes_cached <= most_cached(0)) return;
        FreeBlock* next = free_[index]->next;
        to_system(free_[index], bytes);
        free_[index] = next;
        statistics_.bytes_cached -= bytes;
      }
    }
  }

  void* from_system(std::size_t index, std::size_t rounded) {
    if (rounded <= kLargestFromSlab && adopt(index)) {
      statistics_.bytes_cached -= rounded;
      return std::exchange(free_[index], free_[index]->next);
    }
    ++statistics_.allocations;
    if (rounded > kLargestFromSlab) {
      const auto total = static_cast<std::size_t>(std::max<std::int64_t>(in_use_, 0)) + rounded +
                         statistics_.bytes_cached;
      if (total > most_cached(3)) shrink_cache();
      return new_block(rounded);
    }
    auto* slab = static_cast<std::byte*>(new_block(kSlabBytes));
    for (std::size_t at = rounded; at + rounded <= kSlabBytes; at += rounded) {
      free_[index] = link(slab + at, free_[index], rounded);
      statistics_.bytes_cached += rounded;
    }
    return slab;
  }

  /// No more than a slab holds: of threads that need blocks at the same time, each finds some.
  bool adopt(std::size_t index) {
    const std::scoped_lock lock(orphans().mutex);
    FreeBlock*& first = orphans().free[index];
    for (std::size_t bytes = 0; first && bytes < kSlabBytes; bytes += kClassBytes[index]) {
      FreeBlock* block = std::exchange(first, first->next);
      block->next = std::exchange(free_[index], block);
      statistics_.bytes_cached += kClassBytes[index];
    }
    return free_[index] != nullptr;
  }

  void leave_small_blocks() noexcept {
    const std::scoped_lock lock(orphans().mutex);
    for (std::size_t index = 0; class_bytes(index) <= kLargestFromSlab; ++index) {
      while (free_[index]) {
        FreeBlock* block = std::exchange(free_[index], free_[index]->next);
        block->next = std::exchange(orphans().free[index], block);
      }
    }
  }

  std::array<FreeBlock*, kClasses> free_{};
  Statistics statistics_;
  InUse in_use_;
  std::int64_t peak_ = 0;     // since reset_peak()
  std::int64_t highest_ = 0;  // ever
  static thread_local bool alive_;
};

thread_local bool Pool::alive_ = false;

// The thread's pool, once it has one: a plain pointer is read faster than an object with a
// destructor.
constinit thread_local Pool* current = nullptr;

Pool& make_pool() {
  thread_local Pool instance;
  return *(current = &instance);
}

Pool& pool() {
  if (current) [[likely]]
    return *current;
  return make_pool();
}

}  // namespace

const Statistics& statistics() { return pool().statistics(); }
void reset_peak() { pool().reset_peak(); }
std::size_t bytes_in_use() {
  return static_cast<std::size_t>(std::max<std::int64_t>(InUse::of_all_threads(), 0));
}
void release_cached() { pool().release_cached(); }

Limit::Limit(std::size_t bytes) : left_outside_(left), given_(std::min(bytes, left)) {
  left = given_;
}

Limit::~Limit() { left = left_outside_ - (given_ - left); }

void* allocate(std::size_t bytes) { return pool().allocate(bytes); }

void release(void* block, std::size_t bytes) noexcept {
  if (!block) return;
  pool();  // a thread that only ever gives back needs a pool too
  if (Pool::alive()) pool().release(block, bytes);
}

Buffer::Buffer(std::size_t bytes) {
  header_ = new (allocate(bytes + kAlignment)) Header;
  header_->bytes = bytes;
}

void Buffer::drop() noexcept {
  if (header_->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::size_t bytes = header_->bytes + kAlignment;
  header_->~Header();
  release(header_, bytes);
  header_ = nullptr;
}

}  // namespace unroll::memory
