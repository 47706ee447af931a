#include <autograd/kernels/row_loop.hpp>
#include <autograd/kernels/softmax.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace unroll::kernels {
namespace {

// Floating-point operations that an element with an exponential costs.
constexpr double kCost = 20.0;

/// The largest number of a row; NaNs are passed over, the sum of the exponentials will have them.
template <class T>
T max_of(const T* x, Index n) {
  using L = Lanes<Vector<T>>;
  L lanes(-std::numeric_limits<double>::infinity());
  T highest = -std::numeric_limits<T>::infinity();
  for_each_lanes<T>(n, [&]<class Any>(Index i, Any) {
    if constexpr (Any::is_vector) {
      const L e = L::load(x + i);
      lanes = where(e > lanes, e, lanes);
    } else {
      highest = x[i] > highest ? x[i] : highest;
    }
  });
  std::array<T, static_cast<std::size_t>(L::width())> parts;
  lanes.store(parts.data());
  for (T part : parts) highest = part > highest ? part : highest;
  return highest;
}

/// Sum of e^(x - shift); the terms are stored when `y` is not null.
template <class T>
double sum_exp(const T* x, Index n, T shift, T* y) {
  LanesSum<T> sum;
  for_each_lanes<T>(n, [&]<class L>(Index i, L) {
    const L e = exp(L::load(x + i) - L(static_cast<double>(shift)));
    sum.add(e);
    if (y) e.store(y + i);
  });
  return sum.total();
}

/// What the cross-entropy of a row is made of. log sum e^x is kept in two parts, which for large x
/// has more digits than their sum.
struct RowSums {
  double highest = -std::numeric_limits<double>::infinity();
  double log_sum = 0.0;  ///< log sum e^(x - highest)
  double below = 0.0;    ///< sum of weight (highest - x), when it is asked for
};

/// One reading of the row from memory: block after block, each first searched for its maximum. What
/// was summed relative to a smaller maximum is moved to the new one. `weights` null means ones.
template <class T>
RowSums sums_of(const T* x, const T* weights, Index n, bool below) {
  constexpr Index kBlock = 1024;
  RowSums sums;
  double total = 0.0;
  double weight_before = 0.0;
  for (Index begin = 0; begin < n; begin += kBlock) {
    const T* block = x + begin;
    const Index size = std::min(kBlock, n - begin);
    const double highest = std::max(sums.highest, static_cast<double>(max_of(block, size)));
    if (highest > sums.highest) {
      total *= std::exp(sums.highest - highest);
      if (begin > 0) sums.below += (highest - sums.highest) * weight_before;
      sums.highest = highest;
    }
    // A row so far ruled out by minus infinities is summed relative to 0, to zero.
    const T shift = std::isinf(highest) && highest < 0.0 ? T(0) : static_cast<T>(highest);
    total += sum_exp<T>(block, size, shift, nullptr);
    if (!below) continue;
    LanesSum<T> distance;
    LanesSum<T> weight;
    for_each_lanes<T>(size, [&]<class L>(Index i, L) {
      const L w = weights ? L::load(weights + begin + i) : L(1.0);
      distance.add(weighted(w, L(static_cast<double>(shift)) - L::load(block + i)));
      weight.add(w);
    });
    sums.below += distance.total();
    weight_before += weight.total();
  }
  sums.log_sum = std::log(total);
  return sums;
}

/// ClassTargets, read for element type T.
template <class T>
struct Targets {
  const std::int64_t* index;
  Index ignored;
  const T* weights;  // null: ones
  double smoothing;
  double spread;       // smoothing / C
  double all_weights;  // their sum

  Targets(const ClassTargets& targets, Index classes)
      : index(targets.index.data<std::int64_t>()),
        ignored(targets.ignored),
        weights(targets.weights.defined() ? targets.weights.data<T>() : nullptr),
        smoothing(targets.smoothing),
        spread(targets.smoothing / static_cast<double>(classes)),
        all_weights(static_cast<double>(classes)) {
    if (!weights) return;
    all_weights = 0.0;
    for (Index c = 0; c < classes; ++c) all_weights += static_cast<double>(weights[c]);
  }

  /// What the target of row k gets beside its share of what is spread.
  double own(Index k) const {
    return (1.0 - smoothing) * (weights ? static_cast<double>(weights[index[k]]) : 1.0);
  }
  bool counts(Index k) const { return index[k] != ignored; }
};

}  // namespace

void softmax_rows(const Tensor& x, Tensor& result) {
  const Index n = x.size(1);
  if (n == 0) return;
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.in_place<T>();
    for_each_row(x.size(0), n, kCost, [&](Index k) {
      const T* row = from + k * n;
      T* y = to + k * n;
      const auto scale = static_cast<T>(1.0 / sum_exp(row, n, max_of(row, n), y));
      for (Index i = 0; i < n; ++i) y[i] *= scale;
    });
  });
}

void log_softmax_rows(const Tensor& x, Tensor& result) {
  const Index n = x.size(1);
  if (n == 0) return;
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = result.in_place<T>();
    for_each_row(x.size(0), n, kCost, [&](Index k) {
      const T* row = from + k * n;
      T* y = to + k * n;
      const RowSums sums = sums_of<T>(row, nullptr, n, false);
      const auto highest = static_cast<T>(sums.highest);
      const auto log_sum = static_cast<T>(sums.log_sum);
      for (Index i = 0; i < n; ++i) y[i] = row[i] - highest - log_sum;
    });
  });
}

void softmax_rows_gradient(const Tensor& y, const Tensor& g, Tensor& result) {
  const Index n = y.size(1);
  dispatch_floating(y.dtype(), [&]<class T>(T) {
    const T* value = y.data<T>();
    const T* gradient = g.data<T>();
    T* to = result.in_place<T>();
    for_each_row(y.size(0), n, 4.0, [&](Index k) {
      const T* p = value + k * n;
      const T* dp = gradient + k * n;
      T* dx = to + k * n;
      LanesSum<T> sum;
      for_each_lanes<T>(n, [&]<class L>(Index i, L) { sum.add(L::load(dp + i) * L::load(p + i)); });
      const double total = sum.total();
      for_each_lanes<T>(n, [&]<class L>(Index i, L) {
        (L::load(p + i) * (L::load(dp + i) - L(total))).store(dx + i);
      });
    });
  });
}

void log_softmax_rows_gradient(const Tensor& y, const Tensor& g, Tensor& result) {
  const Index n = y.size(1);
  dispatch_floating(y.dtype(), [&]<class T>(T) {
    const T* value = y.data<T>();
    const T* gradient = g.data<T>();
    T* to = result.in_place<T>();
    for_each_row(y.size(0), n, kCost, [&](Index k) {
      const T* log_p = value + k * n;
      const T* dlog_p = gradient + k * n;
      T* dx = to + k * n;
      LanesSum<T> sum;
      for_each_lanes<T>(n, [&]<class L>(Index i, L) { sum.add(L::load(dlog_p + i)); });
      const double total = sum.total();
      for_each_lanes<T>(n, [&]<class L>(Index i, L) {
        (L::load(dlog_p + i) - exp(L::load(log_p + i)) * L(total)).store(dx + i);
      });
    });
  });
}

double total_weight(const ClassTargets& targets) {
  const std::int64_t* index = targets.index.data<std::int64_t>();
  const auto add = [&](auto weight_of) {
    double total = 0.0;
    for (Index k = 0; k < targets.index.size(); ++k)
      if (index[k] != targets.ignored) total += static_cast<double>(weight_of(index[k]));
    return total;
  };
  if (!targets.weights.defined()) return add([](Index) { return 1.0; });
  double total = 0.0;
  dispatch_floating(targets.weights.dtype(), [&]<class T>(T) {
    total = add([weights = targets.weights.data<T>()](Index c) { return weights[c]; });
  });
  return total;
}

void cross_entropy_rows(const Tensor& x, const ClassTargets& targets, Tensor& loss,
                        Tensor& log_sum) {
  const Index n = x.size(1);
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const Targets<T> q(targets, n);
    const T* from = x.data<T>();
    T* to = loss.in_place<T>();
    double* sum_to = log_sum.in_place<double>();
    for_each_row(x.size(0), n, kCost, [&](Index k) {
      to[k] = T(0);
      sum_to[k] = 0.0;
      if (!q.counts(k)) return;
      const T* row = from + k * n;
      const RowSums sums = sums_of<T>(row, q.weights, n, q.spread > 0.0);
      // -log softmax(x)[c] = log_sum + (highest - x[c]); a weight of 0 also takes infinities away
      const double own = q.own(k);
      double value =
          own == 0.0 ? 0.0
                     : own * (sums.log_sum + (sums.highest - static_cast<double>(row[q.index[k]])));
      if (q.spread > 0.0) value += q.spread * (q.all_weights * sums.log_sum + sums.below);
      to[k] = static_cast<T>(value);
      sum_to[k] = sums.highest + sums.log_sum;
    });
  });
}

void cross_entropy_rows_gradient(const Tensor& x, const ClassTargets& targets,
                                 const Tensor& log_sum, const Tensor& g, Tensor& result) {
  const Index n = x.size(1);
  dispatch_floating(x.dtype(), [&]<class T>(T) {
    const Targets<T> q(targets, n);
    const T* from = x.data<T>();
    const T* gradient = g.data<T>();
    const double* sum_of = log_sum.data<double>();
    T* to = result.in_place<T>();
    for_each_row(x.size(0), n, kCost, [&](Index k) {
      const T* row = from + k * n;
      T* dx = to + k * n;
      if (!q.counts(k)) {
        std::fill_n(dx, n, T(0));
        return;
      }
      const auto slope = static_cast<double>(gradient[k]);
      const double own = q.own(k);
      // What rounding log_sum to T would lose, the factor of the exponentials makes good.
      const auto shift = static_cast<double>(static_cast<T>(sum_of[k]));
      const double factor = slope * (own + q.spread * q.all_weights) * std::exp(shift - sum_of[k]);
      const double spread = slope * q.spread;
      for_each_lanes<T>(n, [&]<class L>(Index i, L) {
        L d = exp(L::load(row + i) - L(shift)) * L(factor);
        if (spread != 0.0) d = d - (q.weights ? L::load(q.weights + i) * L(spread) : L(spread));
        d.store(dx + i);
      });
      dx[q.index[k]] -= static_cast<T>(slope * own);
    });
  });
}

void class_weights(const ClassTargets& targets, Tensor& result) {
  const Index n = result.size(1);
  dispatch_floating(result.dtype(), [&]<class T>(T) {
    const Targets<T> q(targets, n);
    T* row = result.in_place<T>();
    for (Index k = 0; k < result.size(0); ++k, row += n) {
      for (Index c = 0; c < n; ++c)
        row[c] =
            q.counts(k)
                ? static_cast<T>(q.spread * (q.weights ? static_cast<double>(q.weights[c]) : 1.0))
                : T(0);
      if (q.counts(k)) row[q.index[k]] += static_cast<T>(q.own(k));
    }
  });
}

}  // namespace unroll::kernels
