#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Chaos free network (Laurent and von Brecht, A recurrent neural network without chaos, 2016):
/// without input, every state decays to 0.
///
///     theta = sigmoid(V_theta x + b_theta + U_theta h)     forget gate
///     eta   = sigmoid(V_eta x + b_eta + U_eta h)           input gate
///     h'    = theta tanh(h) + eta tanh(W x)
///
/// State {h: [B,H]}. Parameters, with rows in the order theta, eta, W: `weight_ih: [3H,I]`, V and
/// W, `weight_hh: [2H,H]`, U, and `bias: [2H]`. Biases are 1 (theta) and -1 (eta) at first, as in
/// the paper's experiments.
class CFN : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  CFN(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
