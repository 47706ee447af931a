#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Long short-term memory with coupled input and forget gates (CIFG; Greff et al., LSTM: a search
/// space odyssey, 2015): a cell takes in as much as it forgets, with a quarter fewer parameters
/// than nn::LSTM.
///
///     f = sigmoid(W_if x + W_hf h + b_f)        forget gate; the input gate is 1 - f
///     g =    tanh(W_ig x + W_hg h + b_g)        candidate
///     o = sigmoid(W_io x + W_ho h + b_o)        output gate
///     c' = f c + (1 - f) g,   h' = o tanh(c')
///
/// The paper computes the input gate and takes f = 1 - i, which is this cell with W_f and b_f
/// negated. Its peepholes are left out.
///
/// State {h: [B,H], c: [B,H]}. Parameters with rows in the order f, g, o: `weight_ih: [3H,I]`,
/// `weight_hh: [3H,H]`, `bias: [3H]`, uniform over +-1/sqrt(H) at first.
class CoupledLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  CoupledLSTM(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
