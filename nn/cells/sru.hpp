#pragma once

#include <nn/recurrent/linear_cell.hpp>

namespace unroll::nn {

/// Options of SRU.
struct SRUOptions {
  /// b_r at first. Below 0 the output is nearer to the input, as in deep stacks.
  double highway_bias = 0.0;
  /// Multiplies the input in the output by alpha = sqrt(1 + 2 exp(highway_bias)), which keeps the
  /// variance of the output that of the input at first (Lei et al., 2018, section 3.3).
  bool scaled_highway = false;
};

/// The simple recurrent unit in its first form (Lei and Zhang, Training RNNs as fast as CNNs,
/// arXiv:1709.02755 version 1, 2017), whose gates do not read the state, which makes the recurrence
/// linear:
///
///     f  = sigmoid(W_f x + b_f)                  forget gate
///     c' = f c + (1 - f) (W x)
///     r  = sigmoid(W_r x + b_r)                  reset gate
///     y  = r c' + (1 - r) alpha x                highway connection; alpha = 1 unless scaled
///
/// Its later form (Lei et al., Simple recurrent units for highly parallelizable recurrence, 2018,
/// equations 1 to 4) adds v_f c to the forget gate and v_r c to the reset gate; the recurrence is
/// then not linear, and no scan computes it. The output is r c' as in that form, not r tanh(c'). If
/// I is not H, W_s x takes the place of x in the highway connection, as in the code of the authors.
/// State `{c: [B,H]}`. Parameters with rows in the order W, W_f, W_r and, if I is not H, W_s:
/// `weight: [3H,I]` or `[4H,I]`, uniform over +-sqrt(3/I) at first; `bias: [2H]`, b_f and b_r, at
/// first 0 and highway_bias.
class SRU : public LinearCell {
 public:
  /// Throws ArgumentError for a size below 1 or a highway_bias that is not finite.
  SRU(Index inputs, Index hidden, const SRUOptions& options = {});

  Coefficients coefficients(const Variable& x) const override;
  Variable readout(const Variable& h, const Variable& x) const override;

 private:
  double alpha_;
  Parameter weight_, bias_;
};

}  // namespace unroll::nn
