#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of JANET.
struct JANETOptions {
  double beta = 1.0;  ///< how much more is written than forgotten; 0 couples the two
  /// T_max, the longest dependency expected, for chrono initialisation (Tallec and Ollivier, Can
  /// recurrent neural networks warp time?, 2018): b_f = log(u), u uniform over 1..T_max - 1, and
  /// b_g = 0. At least 2; 0: biases are initialised as the weights.
  double max_time_scale = 0.0;
};

/// Just another network (van der Westhuizen and Lasenby, The unreasonable effectiveness of the
/// forget gate, 2018): an LSTM with a forget gate only.
///
///     s  = W_f x + b_f + U_f h
///     g  = tanh(W_g x + b_g + U_g h)            candidate
///     h' = sigmoid(s) h + (1 - sigmoid(s - beta)) g
///
/// The cell state is the hidden state: {h: [B,H]}. Parameters, with rows in the order f, g:
/// `weight_ih: [2H,I]`, W, `weight_hh: [2H,H]`, U, and `bias: [2H]`.
class JANET : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, beta is not finite, or max_time_scale is neither
  /// 0 nor a finite number of at least 2.
  JANET(Index inputs, Index hidden, const JANETOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  double beta_;
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
