#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/linear_cell.hpp>

namespace unroll::nn {

/// Options of RGLRU.
struct RGLRUOptions {
  double c = 8.0;            ///< how far the recurrence gate can close
  double min_decay = 0.9;    ///< least a at first, with the gate r at 1
  double max_decay = 0.999;  ///< largest a at first, with the gate r at 1
};

/// The real-gated linear recurrent unit (De et al., Griffin: mixing gated linear recurrences with
/// local attention for efficient language models, 2024, equations 1 to 4):
///
///     r = sigmoid(W_a x + b_a)                       recurrence gate
///     i = sigmoid(W_x x + b_x)                       input gate
///     a = exp(-c softplus(lambda) r)
///     h' = a h + sqrt(1 - a^2) (i x)
///
/// The square root keeps the size of h the same for any a. lambda has the sign of the formula in
/// the paper's appendix and in the code of its authors: it grows as a falls. The gates' weights are
/// full matrices, not of blocks as in the largest models of the paper; the convolution and the
/// gated branch around the unit are not part of it. State `{h: [B,I]}`, the output, of the size of
/// the input. Parameters: `recurrence_gate.weight: [I,I]`, `recurrence_gate.bias: [I]`,
/// `input_gate.weight`, `input_gate.bias`, drawn as in PyTorch's Linear; `lambda: [I]`, at which
/// exp(-c softplus(lambda)) is uniform over min_decay..max_decay.
class RGLRU : public LinearCell {
 public:
  /// Throws ArgumentError for a size below 1, for a c that is not positive, and unless
  /// 0 < min_decay < max_decay < 1.
  explicit RGLRU(Index size, const RGLRUOptions& options = {});

  Coefficients coefficients(const Variable& x) const override;

 private:
  double c_;
  Linear recurrence_gate_, input_gate_;
  Parameter lambda_;
};

}  // namespace unroll::nn
