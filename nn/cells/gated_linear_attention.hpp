#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of GatedLinearAttention.
struct GatedLinearAttentionOptions {
  Index gate_rank = 16;       ///< R, of the weights of the gate
  double temperature = 16.0;  ///< of the gate; the larger, the closer to 1 it starts
};

/// Gated linear attention (Yang et al., Gated linear attention transformers with hardware-efficient
/// training, 2024, sections 4.1 and 4.4), one head: a matrix of fast weights to which every step
/// adds a key-value pair, and whose rows decay by a gate that the step computes. With row vectors:
///
///     q = x W_q,   k = x W_k,   v = x W_v
///     alpha = sigmoid(x W_1 W_2 + b)^(1 / temperature)    gate, one for each element of the key
///     S' = diag(alpha) S + k^T v
///     o = q S'
///
/// State {S: [B,K,V]}. Output o: [B,V]. Parameters, drawn as in PyTorch's Linear: `qkv.weight:
/// [2K+V,I]` with rows in the order q, k, v, `gate_down.weight: [R,I]`, W_1, `gate_up.weight:
/// [K,R]`, W_2, and `gate_up.bias: [K]`, b. The normalisation, the output gate and the output
/// projection of the paper's layer come behind the cell. A layer runs all steps in chunks
/// (memory_scan).
class GatedLinearAttention : public Cell {
 public:
  /// Throws ArgumentError when a size or the rank is below 1 or the temperature is not positive.
  GatedLinearAttention(Index inputs, Index keys, Index values,
                       const GatedLinearAttentionOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;
  Index outputs() const override { return values_; }

 private:
  Variable log_decay(const Variable& x) const;

  Index keys_, values_;
  GatedLinearAttentionOptions options_;
  Linear qkv_, gate_down_, gate_up_;
};

}  // namespace unroll::nn
