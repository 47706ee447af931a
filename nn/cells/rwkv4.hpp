#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// The time mixing of RWKV-4 (Peng et al., RWKV: Reinventing RNNs for the transformer era, 2023,
/// section 3.1 and appendix D): attention over all steps so far whose weights decay with the
/// distance, as a recurrence. x_ is the input of the previous step:
///
///     r = W_r (mix_r x + (1 - mix_r) x_)                    receptance
///     k = W_k (mix_k x + (1 - mix_k) x_)
///     v = W_v (mix_v x + (1 - mix_v) x_)                    the token shift
///     wkv = (A + e^(u+k) v) / (B + e^(u+k))                 bonus u for the present step
///     A' = e^-w A + e^k v,   B' = e^-w B + e^k              decay w = e^decay
///     y = W_o (sigmoid(r) wkv)
///
/// e^k may overflow, so the cell keeps aa = A e^-pp and bb = B e^-pp, with pp the largest exponent
/// that A and B contain, which leaves wkv as it is.
///
/// State {x: [B,I], aa: [B,H], bb: [B,H], pp: [B,H]}. It begins with zeros and pp = -1e30, the
/// logarithm of nothing stored. Output y: [B,H]. Parameters: `receptance.weight`, `key.weight`,
/// `value.weight: [H,I]` and `output.weight: [H,H]`, drawn as in PyTorch's Linear; `mix_r`,
/// `mix_k`, `mix_v: [I]`, `decay: [H]` and `bonus: [H]`, u, which start as in the first layer of
/// the authors' implementation: unequal decays, from slow to fast, and unequal shifts. The channel
/// mixing, the normalisations and the residual connections are layers of their own.
///
/// A layer computes the products with weights for all steps at once, unless sequences have unequal
/// lengths, boundaries inside or are read in reverse.
class RWKV4 : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  RWKV4(Index inputs, Index hidden);

  State initial_state(Index batch, Dtype dtype) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;
  Index outputs() const override { return state_sizes()[1]; }

 private:
  struct Mixed {
    Variable r, k, v;
  };
  Mixed mix(const Variable& x, const Variable& previous) const;
  Step attend(const Mixed& mixed, const State& state) const;

  Parameter mix_r_, mix_k_, mix_v_, decay_, bonus_;
  Linear receptance_, key_, value_, output_;
};

}  // namespace unroll::nn
