#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// DeltaNet (Schlag, Irie and Schmidhuber, Linear transformers are secretly fast weight
/// programmers, 2021, section 4.2; here in the form of Yang et al., Parallelizing linear
/// transformers with the delta rule over sequence length, 2024), one head: a matrix of fast weights
/// in which a step replaces the value stored under its key, where linear attention adds to it. With
/// row vectors:
///
///     q = norm(silu(x W_q)),   k = norm(silu(x W_k)),   v = x W_v
///     beta = sigmoid(x w_b + b)                          how much of the old value is replaced
///     S' = S + beta k^T (v - k S)
///     o = q S'
///
/// norm(u) is u / sqrt(u.u + 1e-6), of length 1, which keeps the recurrence stable: a step
/// multiplies S by I - beta k^T k, whose eigenvalues lie in 0..1. The paper of 2021 has another
/// feature map in place of norm(silu(.)), and divides by the sum of the elements.
///
/// State {S: [B,K,V]}. Output o: [B,V]. Parameters, drawn as in PyTorch's Linear: `qkv.weight:
/// [2K+V,I]` with rows in the order q, k, v, `rate.weight: [1,I]`, w_b, and `rate.bias: [1]`. The
/// convolution, the normalisation and the output projection of the paper's layer are layers of
/// their own. A layer runs all steps in chunks (delta_scan).
class DeltaNet : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  DeltaNet(Index inputs, Index keys, Index values);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;
  Index outputs() const override { return values_; }

 private:
  struct Parts {
    Variable queries, keys, values, rates;  // [T,B,K], [T,B,K], [T,B,V], [T,B,1]
  };
  Parts parts_of(const Variable& x) const;

  Index keys_, values_;
  Linear qkv_, rate_;
};

}  // namespace unroll::nn
