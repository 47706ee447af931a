#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct LayerNormLSTMOptions {
  double epsilon = 1e-5;  ///< added to the variances
};

/// Long short-term memory with layer normalisation (Ba, Kiros and Hinton, Layer normalization,
/// 2016, equations 20 to 22 of the supplement), which keeps its sums in range at any scale of the
/// weights and any length of the sequence. With LN(a) = (a - mean a) / sqrt(var a + epsilon) over
/// the elements of a:
///
///     a = s_ih LN(W_ih x) + s_hh LN(W_hh h) + b        [4H], the gates i, f, g, o as in LSTM
///     c' = sigmoid(a_f) c + sigmoid(a_i) tanh(a_g)
///     h' = sigmoid(a_o) tanh(s_c LN(c') + b_c)
///
/// The paper has a shift in each of the two normalisations beside b; they only ever act as one sum.
/// State {h: [B,H], c: [B,H]}. Parameters: `weight_ih: [4H,I]`, `weight_hh: [4H,H]`,
/// `scale_ih: [4H]`, `scale_hh: [4H]`, `bias: [4H]`, `scale_c: [H]`, `bias_c: [H]`; scales are 1 at
/// first, biases 0.
class LayerNormLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1 or epsilon is not positive.
  LayerNormLSTM(Index inputs, Index hidden, const LayerNormLSTMOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  double epsilon_;
  Parameter weight_ih_, weight_hh_, scale_ih_, scale_hh_, bias_, scale_c_, bias_c_;
};

}  // namespace unroll::nn
