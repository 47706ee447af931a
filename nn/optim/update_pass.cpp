#include <autograd/kernels/parallel.hpp>
#include <nn/optim/update_pass.hpp>

#include <algorithm>

namespace unroll::nn {

void UpdatePass::Update::run(Index begin, Index end) const {
  constexpr std::array<Index, kOperands> kAdvance{1, 1, 1, 1, 1};
  std::array<void*, kOperands> at{};
  for (std::size_t k = 0; k < count; ++k)
    at[k] = static_cast<std::byte*>(operands[k]) + static_cast<std::size_t>(begin) * element_bytes;
  kernel(f.data(), at.data(), kAdvance.data(), at.data() + reads, end - begin);
}

void UpdatePass::run() const {
  constexpr Index kGrain = 64;   // elements: threads do not write to one cache line
  constexpr double kCost = 4.0;  // of an element that is read or written: that of moving it
  Index size = 0;
  double cost = 0.0;
  for (const Update& update : updates_) {
    size += update.size;
    cost += kCost * static_cast<double>(update.size) *
            static_cast<double>(2 * update.count - update.reads);
  }
  const int parts = kernels::parts_for(cost);
  kernels::parallel_for(parts, [&](int part) {
    const kernels::Range range = kernels::part_of(size, parts, part, kGrain);
    Index first = 0;  // where an update begins when all are concatenated
    for (const Update& update : updates_) {
      const Index begin = std::max(range.begin - first, Index{0});
      const Index end = std::min(range.end - first, update.size);
      if (begin < end) update.run(begin, end);
      first += update.size;
    }
  });
}

}  // namespace unroll::nn
