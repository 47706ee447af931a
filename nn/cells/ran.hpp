#pragma once

#include <nn/layers/activation.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of RAN.
struct RANOptions {
  Activation activation = tanh;  ///< g; `linear_activation` for the identity
};

/// Recurrent additive network (Lee, Levy and Zettlemoyer, Recurrent additive networks, 2017): the
/// cell state is a weighted sum of the inputs, as the content layer is linear.
///
///     c~ = W_c x                                content, without a bias
///     i  = sigmoid(W_i x + b_i + U_i h)         input gate
///     f  = sigmoid(W_f x + b_f + U_f h)         forget gate
///     c' = i c~ + f c
///     h' = g(c')                                g: tanh or the identity
///
/// State {h: [B,H], c: [B,H]}. Parameters, with rows in the order i, f, c: `weight_ih: [3H,I]`, W,
/// `weight_hh: [2H,H]`, U, and `bias: [2H]`.
class RAN : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  RAN(Index inputs, Index hidden, const RANOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Activation activation_;
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
