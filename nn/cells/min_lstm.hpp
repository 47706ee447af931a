#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/linear_cell.hpp>

namespace unroll::nn {

/// The minimal LSTM (Feng et al., Were RNNs all we needed?, 2024, section 3.2): an LSTM whose gates
/// and candidate do not read the state, without tanh and output gate, so all steps are one linear
/// scan. The gates are divided by their sum, which keeps the scale of h independent of the length
/// of the sequence.
///
///     f  = sigmoid(W_f x + b_f)
///     i  = sigmoid(W_i x + b_i)
///     h~ = W_h x + b_h
///     h' = f / (f + i) h + i / (f + i) h~
///
/// Gates that are both close to 0 keep their ratio. Parameters: `forget_gate.weight: [H,I]`,
/// `forget_gate.bias: [H]`, `input_gate.weight`, `input_gate.bias`, `candidate.weight`,
/// `candidate.bias`, drawn as in PyTorch's Linear.
class MinLSTM : public LinearCell {
 public:
  /// Throws ArgumentError for a size below 1.
  MinLSTM(Index inputs, Index hidden);

  Coefficients coefficients(const Variable& x) const override;

 private:
  Linear forget_gate_, input_gate_, candidate_;
};

}  // namespace unroll::nn
