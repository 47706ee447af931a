#include <autograd/kernels/normalize.hpp>
#include <autograd/kernels/row_loop.hpp>
#include <autograd/tensor/copy.hpp>

#include <cmath>

namespace unroll::kernels {
namespace {

/// A sum over rows, carried in double.
class Total {
 public:
  explicit Total(const Tensor& result) {
    if (result.defined()) sums_ = zeros(result.shape(), Dtype::float64);
  }
  double* data() { return sums_.defined() ? sums_.in_place<double>() : nullptr; }
  void store(Tensor& result) const {
    if (result.defined()) copy(sums_, result);
  }

 private:
  Tensor sums_;
};

}  // namespace

void normalize_rows(const Tensor& x, const Normalization& how, const Tensor& shift, Tensor& y,
                    Tensor& moments) {
  const Index n = x.size(1);
  double* const moment = moments.in_place<double>();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* const scale = data_or_null<T>(how.scale);
    const T* const offset = data_or_null<T>(shift);
    const T* const from = x.data<T>();
    T* const to = y.in_place<T>();
    for_each_row(x.size(0), n, 8.0, [&](Index k) {
      const T* row = from + k * n;
      T* out = to + k * n;
      double m = 0.0;
      if (how.centered) {
        LanesSum<T> sum;
        for_each_lanes<T>(n, [&]<class L>(Index i, L) { sum.add(L::load(row + i)); });
        m = sum.total() / static_cast<double>(n);
      }
      LanesSum<T> squares;
      for_each_lanes<T>(n, [&]<class L>(Index i, L) {
        const L d = L::load(row + i) - L(m);
        squares.add(d * d);
      });
      const double r = 1.0 / std::sqrt(squares.total() / static_cast<double>(n) + how.epsilon);
      for_each_lanes<T>(n, [&]<class L>(Index i, L) {
        L z = (L::load(row + i) - L(m)) * L(r);
        if (scale) z = z * L::load(scale + i);
        if (offset) z = z + L::load(offset + i);
        z.store(out + i);
      });
      moment[2 * k] = m;
      moment[2 * k + 1] = r;
    });
  });
}

void normalize_rows_gradient(const Tensor& x, const Normalization& how, const Tensor& moments,
                             const Tensor& g, Tensor& dx, Tensor& dscale, Tensor& dshift) {
  const Index n = x.size(1);
  const double* const moment = moments.data<double>();
  Total scale_total(dscale);
  Total shift_total(dshift);
  double* const scale_sums = scale_total.data();
  double* const shift_sums = shift_total.data();
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* const scale = data_or_null<T>(how.scale);
    const T* row = x.data<T>();
    const T* dy = g.data<T>();
    T* out = dx.in_place<T>();
    // Not cut into parts for threads: all rows add to the same sums.
    for (Index k = 0; k < x.size(0); ++k, row += n, dy += n, out += n) {
      const double m = moment[2 * k];
      const double r = moment[2 * k + 1];
      LanesSum<T> h_sum;
      LanesSum<T> hz_sum;
      for_each_lanes<T>(n, [&]<class L>(Index i, L) {
        const L h = scale ? L::load(dy + i) * L::load(scale + i) : L::load(dy + i);
        h_sum.add(h);
        hz_sum.add(h * ((L::load(row + i) - L(m)) * L(r)));
      });
      const double h_mean = how.centered ? h_sum.total() / static_cast<double>(n) : 0.0;
      const double hz_mean = hz_sum.total() / static_cast<double>(n);
      for_each_lanes<T>(n, [&]<class L>(Index i, L) {
        const L h = scale ? L::load(dy + i) * L::load(scale + i) : L::load(dy + i);
        const L z = (L::load(row + i) - L(m)) * L(r);
        (L(r) * (h - L(h_mean) - z * L(hz_mean))).store(out + i);
      });
      if (scale_sums)
        for (Index i = 0; i < n; ++i)
          scale_sums[i] += static_cast<double>(dy[i]) * ((static_cast<double>(row[i]) - m) * r);
      if (shift_sums)
        for (Index i = 0; i < n; ++i) shift_sums[i] += static_cast<double>(dy[i]);
    }
  });
  scale_total.store(dscale);
  shift_total.store(dshift);
}

}  // namespace unroll::kernels
