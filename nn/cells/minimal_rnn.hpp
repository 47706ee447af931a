#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// MinimalRNN (Chen, MinimalRNN: toward more interpretable and trainable recurrent neural networks,
/// 2017): the input is mapped into the space of the state, and a gate mixes the two.
///
///     z  =    tanh(W_x x + b_z)                 the input in the space of the state
///     u  = sigmoid(U_h h + U_z z + b_u)         update gate
///     h' = u h + (1 - u) z
///
/// State {h: [B,H]}. Parameters: `weight_ih: [H,I]`, W_x, and `bias_ih: [H]`, b_z; `weight_hh:
/// [H,H]`, U_h; `weight_zh: [H,H]`, U_z, and `bias_zh: [H]`, b_u. The paper leaves the map from x
/// to z open; this is its choice in the experiments.
class MinimalRNN : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  MinimalRNN(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hh_, weight_zh_, bias_ih_, bias_zh_;
};

}  // namespace unroll::nn
