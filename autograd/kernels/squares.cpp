#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/squares.hpp>
#include <autograd/tensor/memory.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace unroll::kernels {
namespace {

constexpr Index kBlock = 4096;  // elements that are added up by themselves
constexpr double kCost = 8.0;   // of an element: converted, squared and added

Index blocks_of(const Tensor& x) { return (x.size() + kBlock - 1) / kBlock; }

/// In sixteen running sums that fill vector registers.
template <class T>
double sum_of_block(const T* x, Index n) {
  constexpr Index kSums = 16;
  std::array<double, kSums> sums{};
  Index i = 0;
  for (; i + kSums <= n; i += kSums)
    for (Index j = 0; j < kSums; ++j) {
      const auto value = static_cast<double>(x[i + j]);  // float32 squares may overflow
      sums[static_cast<std::size_t>(j)] += value * value;
    }
  double total = 0.0;
  for (; i < n; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace

double sum_of_squares(std::span<const Tensor> tensors) {
  Index blocks = 0;
  Index size = 0;
  for (const Tensor& x : tensors) {
    blocks += blocks_of(x);
    size += x.size();
  }
  std::vector<double, memory::Allocator<double>> sums(static_cast<std::size_t>(blocks));
  const int parts = parts_for(kCost * static_cast<double>(size));
  parallel_for(parts, [&](int part) {
    const Range range = part_of(blocks, parts, part, 1);
    Index first = 0;  // number of the tensor's first block
    for (const Tensor& x : tensors) {
      const Index end = std::min(range.end - first, blocks_of(x));
      dispatch_floating(x.dtype(), [&]<class T>(T) {
        const T* data = x.data<T>();
        for (Index k = std::max(range.begin - first, Index{0}); k < end; ++k)
          sums[static_cast<std::size_t>(first + k)] =
              sum_of_block(data + k * kBlock, std::min(kBlock, x.size() - k * kBlock));
      });
      first += blocks_of(x);
    }
  });
  double total = 0.0;
  for (double sum : sums) total += sum;
  return total;
}

}  // namespace unroll::kernels
