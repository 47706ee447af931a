#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Long short-term memory (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al.,
/// 2000):
///
///     i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)        input gate
///     f = sigmoid(W_if x + b_if + W_hf h + b_hf)        forget gate
///     g =    tanh(W_ig x + b_ig + W_hg h + b_hg)        candidate
///     o = sigmoid(W_io x + b_io + W_ho h + b_ho)        output gate
///     c' = f c + i g,   h' = o tanh(c')
///
/// State {h: [B,H], c: [B,H]}. Parameters, as in PyTorch, with rows in the order i, f, g, o:
/// `weight_ih: [4H,I]`, `weight_hh: [4H,H]`, `bias_ih: [4H]`, `bias_hh: [4H]`.
class LSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  LSTM(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hh_, bias_ih_, bias_hh_;
};

}  // namespace unroll::nn
