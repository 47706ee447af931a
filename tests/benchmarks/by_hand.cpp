#include "by_hand.hpp"

#include "blas.hpp"

#include <autograd/kernels/lanes.hpp>  // xsimd, without the warnings of g++ 12

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace benchmarks {
namespace {

using Floats = std::vector<float, xsimd::aligned_allocator<float, 64>>;

template <class V>
V load(const float* from) {
  if constexpr (std::is_same_v<V, float>)
    return *from;
  else
    return V::load_unaligned(from);
}
template <class V>
void store(float* to, V value) {
  if constexpr (std::is_same_v<V, float>)
    *to = value;
  else
    value.store_unaligned(to);
}

template <class V>
V sigmoid(V x) {
  using std::exp;
  using xsimd::exp;
  return V(1.0F) / (V(1.0F) + exp(-x));
}
template <class V>
V hyperbolic_tangent(V x) {
  return V(2.0F) * sigmoid(x + x) - V(1.0F);
}

/// Runs `f.operator()<V>(column)` over all columns: the widest vectors first, narrower ones and at
/// last single numbers for what is left.
template <class F>
void over_columns(int columns, const F& f) {
  int at = 0;
  const auto run = [&]<class V>(int width) {
    for (; at + width <= columns; at += width) f.template operator()<V>(at);
  };
  using Widest = xsimd::batch<float>;
  constexpr int kWidest = static_cast<int>(Widest::size);
  run.template operator()<Widest>(kWidest);
  if constexpr (kWidest > 8) run.template operator()<xsimd::make_sized_batch_t<float, 8>>(8);
  if constexpr (kWidest > 4) run.template operator()<xsimd::make_sized_batch_t<float, 4>>(4);
  run.template operator()<float>(1);
}

/// c [m,n] = a b + beta c; the strides are those of a and b as they lie in memory.
void multiply(int m, int n, int k, const float* a, int transpose_a, const float* b, int transpose_b,
              float beta, float* c) {
  cblas_sgemm(kRowMajor, transpose_a, transpose_b, m, n, k, 1.0F, a, transpose_a == kPlain ? k : m,
              b, transpose_b == kPlain ? n : k, beta, c, n);
}

}  // namespace

struct LstmByHand::Buffers {
  explicit Buffers(const LstmProblem& problem)
      : steps(problem.size.steps),
        batch(problem.size.batch),
        hidden(problem.size.hidden),
        gates(4 * hidden),
        rows(steps * batch),
        state(static_cast<std::size_t>(batch) * static_cast<std::size_t>(hidden)),
        x(problem.x.begin(), problem.x.end()),
        w_ih(problem.w_ih.begin(), problem.w_ih.end()),
        w_hh(problem.w_hh.begin(), problem.w_hh.end()),
        bias(problem.bias.begin(), problem.bias.end()),
        activations(count(steps) * 4 * state),
        h(count(steps + 1) * state),
        c(count(steps + 1) * state),
        tanh_c(count(steps) * state),
        d_gates(activations.size()),
        d_h(state),
        d_c(state),
        d_x(x.size()),
        d_w_ih(w_ih.size()),
        d_w_hh(w_hh.size()),
        d_bias(bias.size()) {}

  static std::size_t count(int n) { return static_cast<std::size_t>(n); }

  /// The row of step t, sequence b, in a tensor [T,B,width].
  template <class F>
  auto row(F& tensor, int t, int b, int width) const {
    return tensor.data() + (count(t) * count(batch) + count(b)) * count(width);
  }

  void forward() {
    for (int r = 0; r < rows; ++r)
      std::copy(bias.begin(), bias.end(), activations.begin() + std::ptrdiff_t{r} * gates);
    multiply(rows, gates, hidden, x.data(), kPlain, w_ih.data(), kPlain, 1.0F, activations.data());
    for (int t = 0; t < steps; ++t) {
      float* pre = row(activations, t, 0, gates);
      const float* before = row(h, t, 0, hidden);
      if (batch == 1)
        cblas_sgemv(kRowMajor, kTransposed, hidden, gates, 1.0F, w_hh.data(), gates, before, 1,
                    1.0F, pre, 1);
      else
        multiply(batch, gates, hidden, before, kPlain, w_hh.data(), kPlain, 1.0F, pre);
      for (int b = 0; b < batch; ++b) forward_row(t, b);
    }
  }

  void forward_row(int t, int b) {
    float* gate = row(activations, t, b, gates);
    const float* c_before = row(c, t, b, hidden);
    float* c_after = row(c, t + 1, b, hidden);
    float* h_after = row(h, t + 1, b, hidden);
    float* kept = row(tanh_c, t, b, hidden);
    over_columns(hidden, [&]<class V>(int j) {
      const V i = sigmoid(load<V>(gate + j));
      const V f = sigmoid(load<V>(gate + hidden + j));
      const V g = hyperbolic_tangent(load<V>(gate + 2 * hidden + j));
      const V o = sigmoid(load<V>(gate + 3 * hidden + j));
      const V next = f * load<V>(c_before + j) + i * g;
      const V shown = hyperbolic_tangent(next);
      store<V>(gate + j, i);
      store<V>(gate + hidden + j, f);
      store<V>(gate + 2 * hidden + j, g);
      store<V>(gate + 3 * hidden + j, o);
      store<V>(c_after + j, next);
      store<V>(kept + j, shown);
      store<V>(h_after + j, o * shown);
    });
  }

  /// Of the sum of all outputs: each gets a gradient of 1 from outside.
  void backward() {
    std::fill(d_h.begin(), d_h.end(), 0.0F);
    std::fill(d_c.begin(), d_c.end(), 0.0F);
    for (int t = steps - 1; t >= 0; --t) {
      for (int b = 0; b < batch; ++b) backward_row(t, b);
      const float* d_pre = row(d_gates, t, 0, gates);
      if (batch == 1)
        cblas_sgemv(kRowMajor, kPlain, hidden, gates, 1.0F, w_hh.data(), gates, d_pre, 1, 0.0F,
                    d_h.data(), 1);
      else
        multiply(batch, hidden, gates, d_pre, kPlain, w_hh.data(), kTransposed, 0.0F, d_h.data());
    }
    multiply(hidden, gates, rows, h.data(), kTransposed, d_gates.data(), kPlain, 0.0F,
             d_w_hh.data());
    multiply(hidden, gates, rows, x.data(), kTransposed, d_gates.data(), kPlain, 0.0F,
             d_w_ih.data());
    multiply(rows, hidden, gates, d_gates.data(), kPlain, w_ih.data(), kTransposed, 0.0F,
             d_x.data());
    std::fill(d_bias.begin(), d_bias.end(), 0.0F);
    for (int r = 0; r < rows; ++r) {
      const float* from = d_gates.data() + std::ptrdiff_t{r} * gates;
      float* to = d_bias.data();
      for (int j = 0; j < gates; ++j) to[j] += from[j];
    }
  }

  void backward_row(int t, int b) {
    const float* gate = row(activations, t, b, gates);
    float* d_pre = row(d_gates, t, b, gates);
    const float* c_before = row(c, t, b, hidden);
    const float* kept = row(tanh_c, t, b, hidden);
    const float* dh_after = row(d_h, 0, b, hidden);
    float* dc = row(d_c, 0, b, hidden);
    over_columns(hidden, [&]<class V>(int j) {
      const V one(1.0F);
      const V i = load<V>(gate + j);
      const V f = load<V>(gate + hidden + j);
      const V g = load<V>(gate + 2 * hidden + j);
      const V o = load<V>(gate + 3 * hidden + j);
      const V shown = load<V>(kept + j);
      const V dh = load<V>(dh_after + j) + one;
      const V dc_here = load<V>(dc + j) + dh * o * (one - shown * shown);
      store<V>(d_pre + j, dc_here * g * i * (one - i));
      store<V>(d_pre + hidden + j, dc_here * load<V>(c_before + j) * f * (one - f));
      store<V>(d_pre + 2 * hidden + j, dc_here * i * (one - g * g));
      store<V>(d_pre + 3 * hidden + j, dh * shown * o * (one - o));
      store<V>(dc + j, dc_here * f);
    });
  }

  int steps, batch, hidden, gates, rows;
  std::size_t state;  // numbers in [B,H]
  Floats x, w_ih, w_hh, bias;
  Floats activations;  // [T,B,4H]: what goes into the gates, then what comes out
  Floats h, c;         // [T+1,B,H], zeros first
  Floats tanh_c;       // [T,B,H]
  Floats d_gates, d_h, d_c, d_x, d_w_ih, d_w_hh, d_bias;
};

LstmByHand::LstmByHand(const LstmProblem& problem) : buffers_(std::make_unique<Buffers>(problem)) {}
LstmByHand::~LstmByHand() = default;

void LstmByHand::step() {
  buffers_->forward();
  buffers_->backward();
}

LstmNumbers LstmByHand::numbers() const {
  const auto plain = [](const Floats& from, std::size_t begin = 0) {
    return std::vector<float>(from.begin() + static_cast<std::ptrdiff_t>(begin), from.end());
  };
  const Buffers& b = *buffers_;
  return {plain(b.h, b.state), plain(b.d_x), plain(b.d_w_ih), plain(b.d_w_hh), plain(b.d_bias)};
}

}  // namespace benchmarks
