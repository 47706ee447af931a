#include <doctest/doctest.h>
#include <autograd/tensor/memory.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/tensor/tensor.hpp>

#include <unistd.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

// Sanitizers keep what is released for a while, to find whoever still uses it.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
double resident_mib() {
  std::ifstream stream("/proc/self/statm");
  double total = 0.0;
  double resident = 0.0;
  stream >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}
#endif

/// Runs f on a thread of its own, to the end. Each thread has its own blocks and counts.
template <class F>
void on_another_thread(F f) {
  std::thread(f).join();
}

}  // namespace

TEST_CASE("a block that was given back is handed out again for the same size") {
  on_another_thread([] {
    for (std::size_t bytes : {1, 64, 100, 4096, 5000, 1 << 20}) {
      void* first = memory::allocate(bytes);
      const std::uint64_t allocations = memory::statistics().allocations;
      memory::release(first, bytes);
      void* second = memory::allocate(bytes);
      CHECK(second == first);
      CHECK(memory::statistics().allocations == allocations);
      memory::release(second, bytes);
    }
  });
}

TEST_CASE("every block is aligned for the widest vector register, and holds what was asked for") {
  on_another_thread([] {
    for (std::size_t bytes = 1; bytes < 200'000; bytes += bytes / 7 + 1) {
      auto* block = static_cast<unsigned char*>(memory::allocate(bytes));
      CHECK(reinterpret_cast<std::uintptr_t>(block) % memory::kAlignment == 0);
      block[0] = 1;
      block[bytes - 1] = 2;  // under AddressSanitizer a write past the end is an error
      memory::release(block, bytes);
    }
  });
}

TEST_CASE("blocks in use never overlap") {
  on_another_thread([] {
    for (std::size_t bytes : {40, 80, 300, 5000}) {
      std::vector<unsigned char*> blocks;
      for (unsigned i = 0; i < 200; ++i) {
        blocks.push_back(static_cast<unsigned char*>(memory::allocate(bytes)));
        std::fill_n(blocks.back(), bytes, static_cast<unsigned char>(i));
      }
      bool intact = true;
      for (unsigned i = 0; i < blocks.size(); ++i) {
        for (std::size_t at = 0; at < bytes; ++at) intact &= blocks[i][at] == i;
        memory::release(blocks[i], bytes);
      }
      CHECK(intact);
    }
  });
}

TEST_CASE("the counts tell what is in use, what is kept and what the peak was") {
  on_another_thread([] {
    const memory::Statistics before = memory::statistics();
    CHECK(before.bytes_in_use == 0);
    void* block = memory::allocate(10'000);
    CHECK(memory::statistics().requests == before.requests + 1);
    CHECK(memory::statistics().allocations == before.allocations + 1);
    const std::size_t held = memory::statistics().bytes_in_use;
    CHECK(held >= 10'000);
    CHECK(held <= 12'500);  // at most a quarter is lost to rounding
    CHECK(memory::statistics().bytes_requested == before.bytes_requested + held);
    memory::release(block, 10'000);
    CHECK(memory::statistics().bytes_in_use == 0);
    CHECK(memory::statistics().bytes_cached >= held);
    CHECK(memory::statistics().peak_bytes == held);
    memory::reset_peak();
    CHECK(memory::statistics().peak_bytes == 0);
  });
}

TEST_CASE("a thousand small blocks cost a handful of system allocations") {
  on_another_thread([] {
    std::vector<void*> blocks;
    for (int i = 0; i < 1000; ++i) blocks.push_back(memory::allocate(128));
    CHECK(memory::statistics().requests == 1000);
    CHECK(memory::statistics().allocations <= 2);
    for (void* block : blocks) memory::release(block, 128);
  });
}

TEST_CASE("kept blocks go back to the system when asked") {
  on_another_thread([] {
    memory::release(memory::allocate(1 << 20), 1 << 20);
    CHECK(memory::statistics().bytes_cached >= 1 << 20);
    memory::release_cached();
    CHECK(memory::statistics().bytes_cached < 1 << 20);
    const std::uint64_t allocations = memory::statistics().allocations;
    memory::release(memory::allocate(1 << 20), 1 << 20);
    CHECK(memory::statistics().allocations == allocations + 1);
  });
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("the operating system gets back what lies between blocks that stay in use") {
  on_another_thread([] {
    constexpr std::size_t kBytes = std::size_t{1} << 15;
    constexpr std::size_t kCount = 6400;  // 200 MiB
    const double before = resident_mib();
    std::vector<void*> blocks(kCount);
    for (void*& block : blocks) {
      block = memory::allocate(kBytes);
      std::fill_n(static_cast<unsigned char*>(block), kBytes, static_cast<unsigned char>(1));
    }
    CHECK(resident_mib() - before > 190.0);
    const auto stays = [](std::size_t k) { return k % 10 == 9; };
    for (std::size_t k = 0; k < kCount; ++k)
      if (!stays(k)) memory::release(blocks[k], kBytes);
    memory::release_cached();
    CHECK(resident_mib() - before < 100.0);  // a tenth stays, and up to 64 MiB wait
    for (std::size_t k = 0; k < kCount; ++k)
      if (stays(k)) memory::release(blocks[k], kBytes);
  });
}
#endif

TEST_CASE("a tensor made on one thread may be freed on another, which then reuses its block") {
  on_another_thread([] {
    std::optional<Tensor> tensor = zeros({1000});
    const void* address = tensor->address();
    on_another_thread([&] {
      tensor.reset();
      const std::uint64_t allocations = memory::statistics().allocations;
      const Tensor next = zeros({1000});
      CHECK(next.address() == address);
      CHECK(memory::statistics().allocations == allocations);
    });
  });
}

TEST_CASE("the small blocks of a thread that ended serve the next one") {
  on_another_thread([] {
    const void* address = nullptr;
    on_another_thread([&] { address = zeros({700}).address(); });
    on_another_thread([&] {
      std::vector<Tensor> tensors;
      bool seen = false;
      for (int i = 0; i < 200 && !seen; ++i) {
        tensors.push_back(zeros({700}));
        seen = tensors.back().address() == address;
      }
      CHECK(seen);
    });
  });
}

TEST_CASE("a tensor outlives the thread that made it") {
  Tensor kept;
  on_another_thread([&] { kept = full({3, 1000}, 2.5); });
  CHECK(kept.at({2, 999}) == 2.5);
  const Tensor copy = kept.clone();
  kept = Tensor();
  CHECK(copy.at({0, 0}) == 2.5);
}

TEST_CASE("standard containers can draw on the recycled blocks") {
  on_another_thread([] {
    std::vector<double, memory::Allocator<double>> numbers(1000, 1.5);
    const std::size_t in_use = memory::statistics().bytes_in_use;
    CHECK(in_use >= 8000);
    std::vector<double, memory::Allocator<double>>().swap(numbers);
    CHECK(memory::statistics().bytes_in_use == 0);
  });
}

TEST_CASE("a buffer counts its references") {
  memory::Buffer buffer(100);
  CHECK(buffer.bytes() == 100);
  CHECK(buffer.unique());
  {
    const memory::Buffer other = buffer;
    CHECK(other == buffer);
    CHECK_FALSE(buffer.unique());
  }
  CHECK(buffer.unique());
  memory::Buffer moved = std::move(buffer);
  CHECK(moved.unique());
  moved = memory::Buffer();
  CHECK_FALSE(static_cast<bool>(moved));
  CHECK(moved.bytes() == 0);
  CHECK_FALSE(moved.unique());
}

TEST_CASE("a request beyond any memory is bad_alloc, and nothing is lost") {
  on_another_thread([] {
    CHECK_THROWS_AS(memory::allocate(std::size_t{1} << 50), std::bad_alloc);
    CHECK_THROWS_AS(memory::allocate(std::numeric_limits<std::size_t>::max() / 2), std::bad_alloc);
    CHECK(memory::statistics().bytes_in_use == 0);
    memory::release(memory::allocate(64), 64);
    CHECK(memory::statistics().requests == 1);
  });
}

TEST_CASE("a thread that releases what another allocates keeps a bounded part of it") {
  constexpr std::size_t kLarge = std::size_t{1} << 20;
  constexpr std::size_t kSmall = 256;
  constexpr int kCount = 200;
  std::vector<void*> large;
  std::vector<void*> small;
  for (int k = 0; k < kCount; ++k) large.push_back(memory::allocate(kLarge));
  for (int k = 0; k < kCount * 100; ++k) small.push_back(memory::allocate(kSmall));
  std::size_t cached = 0;
  std::size_t in_use = 1;
  on_another_thread([&] {
    for (void* block : large) memory::release(block, kLarge);
    for (void* block : small) memory::release(block, kSmall);
    cached = memory::statistics().bytes_cached;
    in_use = memory::statistics().bytes_in_use;
  });
  CHECK(cached <= std::size_t{8} << 20);
  CHECK(in_use == 0);
}

TEST_CASE("sizes that vary keep less than twice the memory of the largest") {
  on_another_thread([] {
    constexpr std::size_t kUnit = std::size_t{1} << 18;
    Generator generator(1);
    for (int step = 0; step < 300; ++step) {
      const std::size_t unit = kUnit * (10 + generator.below(190)) / 200;
      std::vector<std::pair<void*, std::size_t>> blocks;
      for (std::size_t k = 1; k <= 100; ++k) {
        const std::size_t bytes = unit * (1 + k % 5);
        blocks.emplace_back(memory::allocate(bytes), bytes);
      }
      for (const auto& [block, bytes] : blocks) memory::release(block, bytes);
    }
    const std::size_t largest = memory::statistics().peak_bytes;
    CHECK(memory::statistics().bytes_cached < 2 * largest);
  });
}

TEST_CASE("what the whole program has in use is right, whichever thread gives a block back") {
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  const std::size_t before = memory::bytes_in_use();
  std::vector<void*> blocks(8);
  const auto take = [&] {
    for (void*& block : blocks) block = memory::allocate(kBytes);
  };
  const auto give_back = [&] {
    for (void* block : blocks) memory::release(block, kBytes);
  };
  on_another_thread(take);  // which has ended when the blocks come back
  CHECK(memory::bytes_in_use() - before >= blocks.size() * kBytes);
  CHECK(memory::bytes_in_use() - before < 2 * blocks.size() * kBytes);
  give_back();
  CHECK(memory::bytes_in_use() == before);
  take();
  on_another_thread(give_back);
  CHECK(memory::bytes_in_use() == before);
}

TEST_CASE("a limit bounds what its thread takes from the system, until it ends") {
  constexpr std::size_t kMegabyte = std::size_t{1} << 20;
  const auto take = [](std::size_t megabytes) {
    return Tensor::empty({static_cast<Index>(megabytes * kMegabyte / sizeof(double))},
                         Dtype::float64);
  };
  memory::release_cached();
  const Tensor before = take(3);
  {
    const memory::Limit limit(8 * kMegabyte);
    const Tensor first = take(4);
    CHECK_THROWS_AS(take(6), std::bad_alloc);
    CHECK_NOTHROW(take(2));  // and back to the blocks that the thread keeps
    CHECK_NOTHROW(take(2));
    std::thread([&] { CHECK_NOTHROW(take(20)); }).join();
    {
      const memory::Limit inner(100 * kMegabyte);  // the outer one holds as well
      CHECK_THROWS_AS(take(6), std::bad_alloc);
    }
    {
      const memory::Limit inner(kMegabyte / 4);
      CHECK_THROWS_AS(take(1), std::bad_alloc);
    }
    CHECK_NOTHROW(take(1));
  }
  CHECK_NOTHROW(take(50));
}

}  // namespace unroll::testing
