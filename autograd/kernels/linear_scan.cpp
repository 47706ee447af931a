#include <autograd/kernels/linear_scan.hpp>
#include <autograd/kernels/row_loop.hpp>

#include <algorithm>
#include <array>
#include <cstddef>

namespace unroll::kernels {
namespace {

/// Columns that run through time together: their state stays in the first-level cache.
constexpr Index kColumns = 2048;

/// Calls `body(begin, end)` for blocks of columns, on several threads when that pays.
template <class F>
void for_each_block(Index steps, Index columns, double cost, const F& body) {
  constexpr Index kGrain = 64;
  const int most = static_cast<int>(std::max<Index>((columns + kGrain - 1) / kGrain, 1));
  const int parts =
      std::min(most, parts_for(static_cast<double>(steps) * static_cast<double>(columns) * cost));
  parallel_for(parts, [&](int part) {
    const Range range = part_of(columns, parts, part, kGrain);
    for (Index begin = range.begin; begin < range.end; begin += kColumns)
      body(begin, std::min(begin + kColumns, range.end));
  });
}

/// The columns of one row, from the first of the block on; null for a tensor that is undefined.
template <class T>
T* at(T* data, Index row, Index columns, Index begin) {
  return data ? data + row * columns + begin : nullptr;
}

/// The elements of a result that may be undefined, to be written to: null then.
template <class T>
T* result_or_null(Tensor& x) {
  return x.defined() ? x.in_place<T>() : nullptr;
}

/// Which columns of a block a step resets.
template <class T>
class Resets {
 public:
  Resets(const Tensor& resets, Index columns)
      : data_(data_or_null<T>(resets)), batch_(data_ ? resets.size(1) : 0) {
    if (batch_ > 0) width_ = columns / batch_;
  }

  /// Sets those of `row`, the columns begin .. end, to zero; null is left alone.
  void clear(Index step, Index begin, Index end, T* row) const {
    if (!data_ || !row || width_ == 0) return;
    for (Index b = begin / width_; b * width_ < end; ++b)
      if (data_[step * batch_ + b] != T(0))
        std::fill(row + std::max(b * width_ - begin, Index{0}),
                  row + std::min((b + 1) * width_, end) - begin, T(0));
  }

 private:
  const T* data_;
  Index batch_;
  Index width_ = 0;
};

}  // namespace

void linear_scan(const Tensor& a, const Tensor& b, const LinearScan& how, Tensor& h) {
  const Index steps = a.size(0);
  const Index columns = a.size(1);
  dispatch_floating(a.dtype(), [&]<class T>(T) {
    const T* const a_data = a.data<T>();
    const T* const b_data = b.data<T>();
    const T* const start_data = data_or_null<T>(how.start);
    const Resets<T> resets(how.resets, columns);
    T* const h_data = h.in_place<T>();
    for_each_block(steps, columns, 2.0, [&](Index begin, Index end) {
      std::array<T, kColumns> state{};
      if (start_data) std::copy(start_data + begin, start_data + end, state.data());
      for (Index k = 0; k < steps; ++k) {
        const Index t = how.reverse ? steps - 1 - k : k;
        resets.clear(t, begin, end, state.data());
        const T* a_t = at(a_data, t, columns, begin);
        const T* b_t = at(b_data, t, columns, begin);
        T* h_t = at(h_data, t, columns, begin);
        for_each_lanes<T>(end - begin, [&]<class L>(Index i, L) {
          const L now = L::load(a_t + i) * L::load(state.data() + i) + L::load(b_t + i);
          now.store(state.data() + i);
          now.store(h_t + i);
        });
      }
    });
  });
}

void linear_scan_gradient(const Tensor& a, const Tensor& h, const LinearScan& how, const Tensor& g,
                          Tensor& da, Tensor& db, Tensor& dstart) {
  const Index steps = a.size(0);
  const Index columns = a.size(1);
  dispatch_floating(a.dtype(), [&]<class T>(T) {
    const T* const a_data = a.data<T>();
    const T* const h_data = h.data<T>();
    const T* const g_data = g.data<T>();
    const T* const start_data = data_or_null<T>(how.start);
    const Resets<T> resets(how.resets, columns);
    T* const da_data = result_or_null<T>(da);
    T* const db_data = result_or_null<T>(db);
    T* const dstart_data = result_or_null<T>(dstart);
    for_each_block(steps, columns, 4.0, [&](Index begin, Index end) {
      // The gradient of a state is what comes from its output and from the step after it.
      std::array<T, kColumns> from_next{};
      const std::array<T, kColumns> zeros{};
      for (Index k = steps - 1; k >= 0; --k) {
        const Index t = how.reverse ? steps - 1 - k : k;
        const T* a_t = at(a_data, t, columns, begin);
        const T* g_t = at(g_data, t, columns, begin);
        const T* before = k > 0        ? at(h_data, how.reverse ? t + 1 : t - 1, columns, begin)
                          : start_data ? start_data + begin
                                       : zeros.data();
        T* da_t = at(da_data, t, columns, begin);
        T* db_t = at(db_data, t, columns, begin);
        for_each_lanes<T>(end - begin, [&]<class L>(Index i, L) {
          const L total = L::load(g_t + i) + L::load(from_next.data() + i);
          if (db_t) total.store(db_t + i);
          if (da_t) (total * L::load(before + i)).store(da_t + i);
          (total * L::load(a_t + i)).store(from_next.data() + i);
        });
        resets.clear(t, begin, end, da_t);
        resets.clear(t, begin, end, from_next.data());
      }
      if (dstart_data) std::copy_n(from_next.data(), end - begin, dstart_data + begin);
    });
  });
}

}  // namespace unroll::kernels
