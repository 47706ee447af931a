#include <autograd/kernels/along.hpp>
#include <autograd/tensor/loop.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace unroll::kernels {
namespace {

template <class T>
bool is_nan(T x) {
  return std::isnan(static_cast<double>(x));
}

/// Calls pair(i, j) for every element of `index`: i is the offset of the place of `indexed` that it
/// names along the axis, j the offset of its own place in `other`.
template <class F>
void for_each_pair(const Tensor& indexed, const Tensor& index, const Tensor& other, int axis,
                   F pair) {
  Strides start = indexed.strides();
  const Index along = start[axis];
  start[axis] = 0;
  const Walk<3> walk(index.shape(), {start, index.strides(), other.strides()});
  const std::int64_t* at = index.data<std::int64_t>();
  const Index step = walk.row_stride(0);
  const Index index_step = walk.row_stride(1);
  const Index other_step = walk.row_stride(2);
  walk.for_each_row([&](const std::array<Index, 3>& row) {
    for (Index i = 0; i < walk.row_size(); ++i)
      pair(row[0] + i * step + at[row[1] + i * index_step] * along, row[2] + i * other_step);
  });
}

}  // namespace

void extreme_rows(const Tensor& x, Extreme which, Tensor& index) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  std::int64_t* to = index.in_place<std::int64_t>();
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
  std::int64_t* to = index.in_place<std::int64_t>();
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

void order_rows(const Tensor& x, bool descending, Tensor& index) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  const Index count = index.size(1);
  Tensor scratch = Tensor::empty({n}, Dtype::int64);
  std::int64_t* order = scratch.in_place<std::int64_t>();
  std::int64_t* to = index.in_place<std::int64_t>();
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* row = x.data<T>();
    const auto smaller = [](T a, T b) { return is_nan(b) ? !is_nan(a) : a < b; };
    // Places tell equals apart, so the order is complete and no sort need be stable.
    const auto before = [&](std::int64_t i, std::int64_t j) {
      const T a = row[descending ? j : i];
      const T b = row[descending ? i : j];
      return smaller(a, b) || (i < j && !smaller(b, a));
    };
    for (Index r = 0; r < rows; ++r, row += n, to += count) {
      std::iota(order, order + n, std::int64_t{0});
      if (count == n)
        std::sort(order, order + n, before);
      else
        std::partial_sort(order, order + count, order + n, before);
      std::copy_n(order, count, to);
    }
  });
}

void take_along(const Tensor& x, const Tensor& index, int axis, Tensor& result) {
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.in_place<T>();
    for_each_pair(x, index, result, axis, [=](Index a, Index b) { to[b] = from[a]; });
  });
}

void add_along(const Tensor& x, const Tensor& index, int axis, Tensor& result) {
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.in_place<T>();
    for_each_pair(result, index, x, axis, [=](Index a, Index b) { to[a] += from[b]; });
  });
}

void running_sum_rows(const Tensor& x, bool backwards, Tensor& result) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.in_place<T>();
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
    T* to = result.in_place<T>();
    for (Index r = 0; r < rows; ++r, row += n)
      to[r] = std::any_of(row, row + n, [](T a) { return a != T(0); }) ? T(1) : T(0);
  });
}

void all_rows(const Tensor& x, Tensor& result) {
  const Index rows = x.size(0);
  const Index n = x.size(1);
  dispatch(x.dtype(), [&]<class T>(T) {
    const T* row = x.data<T>();
    T* to = result.in_place<T>();
    for (Index r = 0; r < rows; ++r, row += n)
      to[r] = std::all_of(row, row + n, [](T a) { return a != T(0); }) ? T(1) : T(0);
  });
}

bool any_order_will_do(const Tensor& x) {
  bool safe = true;
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const Tensor rows = x.contiguous();
    const T* row = rows.data<T>();
    constexpr int kLargest = std::numeric_limits<T>::max_exponent - 2;
    for (Index r = 0; r < x.size(0) && safe; ++r, row += x.size(1)) {
      // 2^above bounds every product from above and 2^-below from below.
      double above = 0.0;
      double below = 0.0;
      for (Index k = 0; k < x.size(1); ++k) {
        if (row[k] == T(0)) continue;
        const double exponent = std::log2(std::abs(static_cast<double>(row[k])));
        if (std::isnan(exponent)) above = HUGE_VAL;
        above += std::max(exponent, 0.0);
        below += std::max(-exponent, 0.0);
      }
      safe = above < kLargest && below < kLargest;
    }
  });
  return safe;
}

}  // namespace unroll::kernels
