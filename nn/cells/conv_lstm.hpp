#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of ConvLSTM.
struct ConvLSTMOptions {
  Index kernel = 3;  ///< positions that a unit sees in the input and in the state, an odd number
};

/// Convolutional long short-term memory over one dimension of space (Shi, Chen, Wang, Yeung, Wong
/// and Woo, Convolutional LSTM network: a machine learning approach for precipitation nowcasting,
/// 2015, equation 3): an LSTM whose products are convolutions, so every position has the same
/// weights and its state is local. With * for the convolution over L positions, zeros outside:
///
///     i = sigmoid(W_xi * x + W_hi * h + b_i)      input gate
///     f = sigmoid(W_xf * x + W_hf * h + b_f)      forget gate
///     g =    tanh(W_xc * x + W_hc * h + b_c)      candidate
///     o = sigmoid(W_xo * x + W_ho * h + b_o)      output gate
///     c' = f c + i g
///     h' = o tanh(c')
///
/// The peepholes of the paper, W_ci c, W_cf c and W_co c', are left out. The paper's frames are
/// images; here they are rows: a step of x holds `[C_in,L]`, flattened to I = C_in L, and the
/// output holds `[C,L]`, flattened to C L, which the next layer can read.
///
/// State {h: [B,C,L], c: [B,C,L]}. Parameters, with channels in the order i, f, g, o:
/// `weight_ih: [4C,C_in,K]`, `weight_hh: [4C,C,K]`, `bias: [4C]`, uniform over +-1/sqrt(C K) at
/// first.
class ConvLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1 or the kernel is not an odd number.
  ConvLSTM(Index input_channels, Index channels, Index length, const ConvLSTMOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  Variable output(const State& state) const override;

 private:
  Index length_, padding_;
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
