#include <autograd/kernels/rows.hpp>
#include <autograd/lanes.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace unroll::kernels {
namespace {

template <class T>
T max_of(const T* x, Index n) {
  T highest = x[0];
  for (Index i = 1; i < n; ++i) highest = x[i] > highest ? x[i] : highest;
  return highest;
}

/// Sum of e^(x - shift) over a row; the terms are stored when `y` is not null.
template <class T>
double sum_exp(const T* x, Index n, T shift, T* y) {
  using L = Lanes<Vector<T>>;
  constexpr Index kWidth = L::width();
  L sums(0.0);
  Index i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    const L e = exp(L::load(x + i) - L(static_cast<double>(shift)));
    sums = sums + e;
    if (y) e.store(y + i);
  }
  double total = 0.0;
  std::array<T, static_cast<std::size_t>(kWidth)> lanes;
  sums.store(lanes.data());
  for (T s : lanes) total += static_cast<double>(s);
  for (; i < n; ++i) {
    const T e = std::exp(x[i] - shift);
    total += static_cast<double>(e);
    if (y) y[i] = e;
  }
  return total;
}

}  // namespace

void gather_rows(const Tensor& table, const Tensor& indices, Tensor& result) {
  const Index columns = table.shape()[1];
  const Index down = table.strides()[0];
  const Index across = table.strides()[1];
  const std::int64_t* at = indices.data<std::int64_t>();
  dispatch_floating(table.dtype(), [&]<class T>(T) {
    const T* rows = table.data<T>();
    T* to = result.mutable_data<T>();
    for (Index k = 0; k < indices.size(); ++k, to += columns) {
      const T* row = rows + at[k] * down;
      if (across == 1)
        std::copy_n(row, columns, to);
      else
        for (Index j = 0; j < columns; ++j) to[j] = row[j * across];
    }
  });
}

void scatter_add_rows(const Tensor& values, const Tensor& indices, Tensor& table) {
  const Tensor packed = values.contiguous();
  const Index columns = table.shape()[1];
  const std::int64_t* at = indices.data<std::int64_t>();
  dispatch_floating(table.dtype(), [&]<class T>(T) {
    const T* from = packed.data<T>();
    T* rows = table.mutable_data<T>();
    for (Index k = 0; k < indices.size(); ++k, from += columns) {
      T* row = rows + at[k] * columns;
      for (Index j = 0; j < columns; ++j) row[j] += from[j];
    }
  });
}

void softmax_rows(const Tensor& x, Tensor& result) {
  const Index n = x.shape()[1];
  if (n == 0) return;
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    for (Index k = 0; k < x.shape()[0]; ++k, from += n, to += n) {
      const auto scale = static_cast<T>(1.0 / sum_exp(from, n, max_of(from, n), to));
      for (Index i = 0; i < n; ++i) to[i] *= scale;
    }
  });
}

void log_softmax_rows(const Tensor& x, Tensor& result) {
  const Index n = x.shape()[1];
  if (n == 0) return;
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    for (Index k = 0; k < x.shape()[0]; ++k, from += n, to += n) {
      const T highest = max_of(from, n);
      const auto log_sum = static_cast<T>(std::log(sum_exp<T>(from, n, highest, nullptr)));
      for (Index i = 0; i < n; ++i) to[i] = from[i] - highest - log_sum;
    }
  });
}

void cross_entropy_rows(const Tensor& x, const Tensor& targets, Tensor& result) {
  const Index n = x.shape()[1];
  const std::int64_t* target = targets.data<std::int64_t>();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    for (Index k = 0; k < x.shape()[0]; ++k, from += n) {
      const T highest = max_of(from, n);
      const double log_sum = std::log(sum_exp<T>(from, n, highest, nullptr));
      to[k] = static_cast<T>(log_sum - static_cast<double>(from[target[k]] - highest));
    }
  });
}

void subtract_one_hot(Tensor& x, const Tensor& targets) {
  const Index n = x.shape()[1];
  const std::int64_t* target = targets.data<std::int64_t>();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    T* row = x.mutable_data<T>();
    for (Index k = 0; k < x.shape()[0]; ++k, row += n) row[target[k]] -= T(1);
  });
}

}  // namespace unroll::kernels
