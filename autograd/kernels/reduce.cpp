#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/loop.hpp>

#include <algorithm>

namespace unroll::kernels {
namespace {

/// Sum of a row, in sixteen running sums that fill vector registers, each block carried on in
/// double.
template <class T>
double sum_row(const T* x, Index n, Index step) {
  constexpr Index kSums = 16;
  constexpr Index kBlock = 4096;
  double total = 0.0;
  for (Index begin = 0; begin < n; begin += kBlock) {
    const Index end = std::min(n, begin + kBlock);
    std::array<T, kSums> sums{};
    Index i = begin;
    if (step == 1)
      for (; i + kSums <= end; i += kSums)
        for (Index j = 0; j < kSums; ++j) sums[static_cast<std::size_t>(j)] += x[i + j];
    double rest = 0.0;
    for (; i < end; ++i) rest += static_cast<double>(x[i * step]);
    for (T s : sums) rest += static_cast<double>(s);
    total += rest;
  }
  return total;
}

/// A function of its own, so that the compiler sees a loop that it vectorises.
template <class T>
[[gnu::noinline]] void add_row(const T* __restrict row, Index n, double* __restrict sums) {
  for (Index i = 0; i < n; ++i) sums[i] += static_cast<double>(row[i]);
}

/// Adds the sums of x to `totals`, float64 and of x's rank; where an axis has size 1 it is summed.
void add_sums(const Tensor& x, Tensor& totals) {
  Strides into = totals.strides();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (totals.shape()[axis] == 1) into[axis] = 0;
  const Walk<2> walk(x.shape(), {x.strides(), into});
  const Index n = walk.row_size();
  const Index step = walk.row_stride(0);
  const Index into_step = walk.row_stride(1);
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    double* to = totals.in_place<double>();
    walk.for_each_row([&](const std::array<Index, 2>& at) {
      const T* row = from + at[0];
      double* sums = to + at[1];
      if (into_step == 0 || n == 1)
        *sums += sum_row(row, n, step);
      else if (into_step == 1 && step == 1)
        add_row(row, n, sums);
      else
        for (Index i = 0; i < n; ++i) sums[i * into_step] += static_cast<double>(row[i * step]);
    });
  });
}

/// The sum of all elements, chunk by chunk: the chunks are the same for any number of threads.
template <class T>
double sum_all(const T* x, Index n, double cost) {
  constexpr Index kChunk = Index{1} << 16;
  const Index count = (n + kChunk - 1) / kChunk;
  Tensor sums = Tensor::empty({count}, Dtype::float64);
  double* of_chunk = sums.in_place<double>();
  const int parts = parts_for(static_cast<double>(n) * cost);
  parallel_for(parts, [&](int part) {
    const Range range = part_of(count, parts, part, 1);
    for (Index k = range.begin; k < range.end; ++k)
      of_chunk[k] = sum_row(x + k * kChunk, std::min(kChunk, n - k * kChunk), 1);
  });
  double total = 0.0;
  for (Index k = 0; k < count; ++k) total += of_chunk[k];
  return total;
}

}  // namespace

void sum(const Tensor& x, Tensor& result) {
  constexpr double kCost = 16.0;  // of an element, in units of a multiplication
  if (result.size() == 1 && x.is_contiguous() && x.size() > 0) {
    dispatch_floating(x.dtype(), [&]<class T>(T) {
      *result.in_place<T>() = static_cast<T>(sum_all(x.data<T>(), x.size(), kCost));
    });
    return;
  }
  Tensor totals = zeros(result.shape(), Dtype::float64);
  // Threads share the sums out, never the terms of one sum: its rounding depends on no number of
  // threads.
  int longest = 0;
  for (int axis = 1; axis < result.rank(); ++axis)
    if (result.shape()[axis] > result.shape()[longest]) longest = axis;
  const bool shared = result.rank() > 0 && result.shape()[longest] >= 32;
  const int parts = shared ? parts_for(static_cast<double>(x.size()) * kCost) : 1;
  if (parts == 1) {
    add_sums(x, totals);
  } else {
    parallel_for(parts, [&](int part) {
      const Range range = part_of(result.shape()[longest], parts, part, 16);
      if (range.begin >= range.end) return;
      Tensor own = totals.slice(longest, range.begin, range.end);
      add_sums(x.slice(longest, range.begin, range.end), own);
    });
  }
  copy(totals, result);
}

}  // namespace unroll::kernels
