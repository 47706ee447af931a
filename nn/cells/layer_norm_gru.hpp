#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct LayerNormGRUOptions {
  double epsilon = 1e-5;  ///< added to the variances
};

/// Gated recurrent unit with layer normalisation (Ba, Kiros and Hinton, Layer normalization, 2016,
/// the GRU of the supplement). With LN(a) = (a - mean a) / sqrt(var a + epsilon) over the elements
/// of a:
///
///     a = s_ig LN(W_ig x) + s_hg LN(W_hg h) + b_g        [2H], the sums of both gates, r and z
///     r = sigmoid(a_r),   z = sigmoid(a_z)
///     n = tanh(s_in LN(W_in x) + b_in + r (s_hn LN(W_hn h) + b_hn))
///     h' = (1 - z) n + z h
///
/// Both gates are normalised together, the candidate on its own. The reset gate comes after the
/// product and z = 1 keeps the state, as in nn::GRU; the paper swaps z and 1 - z. It has a shift in
/// each of the two normalisations of the gates, which only ever act as one sum, b_g.
///
/// State {h: [B,H]}. Parameters with rows in the order r, z, n: `weight_ih: [3H,I]`, `weight_hh:
/// [3H,H]`, `scale_ih: [3H]`, `scale_hh: [3H]`, `bias: [3H]`, which is b_g and b_in, and `bias_hn:
/// [H]`; scales are 1 at first, biases 0.
class LayerNormGRU : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1 or epsilon is not positive.
  LayerNormGRU(Index inputs, Index hidden, const LayerNormGRUOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  double epsilon_;
  Parameter weight_ih_, weight_hh_, scale_ih_, scale_hh_, bias_, bias_hn_;
};

}  // namespace unroll::nn
