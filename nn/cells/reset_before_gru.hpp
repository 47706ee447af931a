#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Gated recurrent unit as first published (Cho et al., Learning phrase representations using RNN
/// encoder-decoder for statistical machine translation, 2014, equations 5 to 8), with the reset
/// gate before the product:
///
///     r = sigmoid(W_ir x + W_hr h + b_r)        reset gate
///     z = sigmoid(W_iz x + W_hz h + b_z)        update gate
///     n =    tanh(W_in x + W_hn (r h) + b_n)    candidate
///     h' = (1 - z) n + z h
///
/// nn::GRU, PyTorch and cuDNN compute r (W_hn h + b_hn) instead. Their gate selects elements of the
/// product, this one elements of the previous state, so weights cannot be exchanged. It costs a
/// second product in each step. In Keras this is GRU(reset_after=False).
///
/// The convention of z is that of the paper, PyTorch and nn::GRU: z = 1 keeps the state. Chung et
/// al. (2014) swap z and 1 - z. The paper has no biases.
///
/// State {h: [B,H]}. Parameters `weight_ih: [3H,I]` and `bias: [3H]` with rows in the order r, z,
/// n, `weight_hh: [2H,H]` with rows in the order r, z, and `weight_hn: [H,H]`, uniform over
/// +-1/sqrt(H) at first.
class ResetBeforeGRU : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  ResetBeforeGRU(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, bias_, weight_hh_, weight_hn_;
};

}  // namespace unroll::nn
