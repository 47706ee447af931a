#include <autograd/kernels/along.hpp>

#include <algorithm>
#include <cmath>

namespace unroll::kernels {
namespace {

template <class T>
bool is_nan(T x) {
  return std::isnan(static_cast<double>(x));
}

}  // namespace

void extreme_rows(const Tensor& x, Extreme which, Tensor& index) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  std::int64_t* to = index.mutable_data<std::int64_t>();
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* row = x.data<T>();
    for (Index r = 0; r < rows; ++r, row += n) {
      Index best = 0;
      for (Index i = 1; i < n && !is_nan(row[best]); ++i)
        if (is_nan(row[i]) || (which == Extreme::max ? row[i] > row[best] : row[i] < row[best]))
          best = i;
      to[r] = best;
    }
  });
}

void running_max_rows(const Tensor& x, Tensor& index) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  std::int64_t* to = index.mutable_data<std::int64_t>();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* row = x.data<T>();
    for (Index r = 0; r < rows; ++r, row += n, to += n) {
      Index best = 0;
      for (Index i = 0; i < n; ++i) {
        if (is_nan(row[i]) || row[i] >= row[best]) best = i;
        to[i] = best;
      }
    }
  });
}

void take_along_rows(const Tensor& x, const Tensor& index, Tensor& result) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  const Index count = index.size(1);
  const std::int64_t* at = index.data<std::int64_t>();
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* row = x.data<T>();
    T* to = result.mutable_data<T>();
    for (Index r = 0; r < rows; ++r, row += n, at += count, to += count)
      for (Index k = 0; k < count; ++k) to[k] = row[at[k]];
  });
}

void add_along_rows(const Tensor& x, const Tensor& index, Tensor& result) {
  const Index rows = x.size(0);
  const Index n = result.size(1);
  const Index count = index.size(1);
  const std::int64_t* at = index.data<std::int64_t>();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* row = result.mutable_data<T>();
    for (Index r = 0; r < rows; ++r, row += n, at += count, from += count)
      for (Index k = 0; k < count; ++k) row[at[k]] += from[k];
  });
}

void running_sum_rows(const Tensor& x, bool backwards, Tensor& result) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    for (Index r = 0; r < rows; ++r, from += n, to += n) {
      double sum = 0.0;
      for (Index k = 0; k < n; ++k) {
        const Index i = backwards ? n - 1 - k : k;
        sum += static_cast<double>(from[i]);
        to[i] = static_cast<T>(sum);
      }
    }
  });
}

void any_rows(const Tensor& x, Tensor& result) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* row = x.data<T>();
    T* to = result.mutable_data<T>();
    for (Index r = 0; r < rows; ++r, row += n)
      to[r] = std::any_of(row, row + n, [](T a) { return a != T(0); }) ? T(1) : T(0);
  });
}

void all_rows(const Tensor& x, Tensor& result) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* row = x.data<T>();
    T* to = result.mutable_data<T>();
    for (Index r = 0; r < rows; ++r, row += n)
      to[r] = std::all_of(row, row + n, [](T a) { return a != T(0); }) ? T(1) : T(0);
  });
}

}  // namespace unroll::kernels
