#include <autograd/kernels/copy.hpp>
#include <autograd/kernels/loop.hpp>
#include <autograd/kernels/reduce.hpp>

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

}  // namespace

void sum(const Tensor& x, Tensor& result) {
  Tensor totals = zeros(result.shape(), Dtype::float64);
  Strides into = totals.strides();
  for (int axis = 0; axis < x.rank(); ++axis)
    if (result.shape()[axis] == 1) into[axis] = 0;
  const Walk<2> walk(x.shape(), {x.strides(), into});
  const Index n = walk.row_size();
  const Index step = walk.row_stride(0);
  const Index into_step = walk.row_stride(1);
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    double* to = totals.mutable_data<double>();
    walk.for_each_row([&](const std::array<Index, 2>& at) {
      const T* row = from + at[0];
      double* sums = to + at[1];
      if (into_step == 0 || n == 1)
        *sums += sum_row(row, n, step);
      else if (into_step == 1 && step == 1)
        for (Index i = 0; i < n; ++i) sums[i] += static_cast<double>(row[i]);
      else
        for (Index i = 0; i < n; ++i) sums[i * into_step] += static_cast<double>(row[i * step]);
    });
  });
  copy(totals, result);
}

}  // namespace unroll::kernels
