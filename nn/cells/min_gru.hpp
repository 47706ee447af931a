#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/linear_cell.hpp>

namespace unroll::nn {

/// The minimal GRU (Feng et al., Were RNNs all we needed?, 2024, section 3.1): a GRU whose gate and
/// candidate do not read the state, so all steps are one linear scan.
///
///     z  = sigmoid(W_z x + b_z)
///     h~ = W_h x + b_h
///     h' = (1 - z) h + z h~
///
/// Parameters: `gate.weight: [H,I]`, `gate.bias: [H]`, `candidate.weight`, `candidate.bias`, drawn
/// as in PyTorch's Linear.
class MinGRU : public LinearCell {
 public:
  /// Throws ArgumentError for a size below 1.
  MinGRU(Index inputs, Index hidden);

  Coefficients coefficients(const Variable& x) const override;

 private:
  Linear gate_, candidate_;
};

}  // namespace unroll::nn
