#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Gated recurrent unit (Cho et al., 2014), with the reset gate after the product as in PyTorch and
/// cuDNN:
///
///     r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)        reset gate
///     z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)        update gate
///     n =    tanh(W_in x + b_in + r (W_hn h + b_hn))    candidate
///     h' = (1 - z) n + z h
///
/// State {h: [B,H]}. Parameters, as in PyTorch, with rows in the order r, z, n: `weight_ih:
/// [3H,I]`, `weight_hh: [3H,H]`, `bias_ih: [3H]`, `bias_hh: [3H]`.
class GRU : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  GRU(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hh_, bias_ih_, bias_hh_;
};

}  // namespace unroll::nn
