#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Multiplicative long short-term memory (Krause, Lu, Murray and Renals, Multiplicative LSTM for
/// sequence modelling, 2016): the gates read a product of input and previous state in place of the
/// state, which gives each input its own recurrent matrix, W_hm diag(W_mx x) W_mh.
///
///     m = (W_mx x) (W_mh h)                     elementwise
///     i = sigmoid(W_ii x + W_im m + b_i)        input gate
///     f = sigmoid(W_if x + W_fm m + b_f)        forget gate
///     g =    tanh(W_ig x + W_gm m + b_g)        candidate
///     o = sigmoid(W_io x + W_om m + b_o)        output gate
///     c' = f c + i g,   h' = o tanh(c')
///
/// c' and h' are those of nn::LSTM, as in Radford et al. (Learning to generate reviews and
/// discovering sentiment, 2017). m has H elements, as in the paper.
///
/// State {h: [B,H], c: [B,H]}. Parameters, uniform over +-1/sqrt(H) at first: `weight_mx: [H,I]`,
/// `weight_mh: [H,H]`, and with rows in the order i, f, g, o `weight_ih: [4H,I]`, `weight_hm:
/// [4H,H]`, `bias: [4H]`.
class MultiplicativeLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  MultiplicativeLSTM(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_mx_, weight_mh_, weight_ih_, weight_hm_, bias_;
};

}  // namespace unroll::nn
