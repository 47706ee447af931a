#pragma once

#include <nn/recurrent/linear_cell.hpp>

namespace unroll::nn {

/// Options of S5: the time steps at first.
struct S5Options {
  double min_delta = 1e-3;  ///< least delta
  double max_delta = 0.1;   ///< largest delta
};

/// The state space layer S5 (Smith, Warrington and Linderman, Simplified state space layers for
/// sequence modeling, 2023, section 3), a linear continuous-time system with a diagonal
/// transition matrix, discretised by zero-order hold with a time step delta for each mode:
///
///     dh/dt = lambda h + B x        lambda, B, C complex
///     h' = exp(lambda delta) h + (exp(lambda delta) - 1) / lambda B x
///     y  = 2 Re(C h') + D x
///
/// The N modes stand for 2N in conjugate pairs, hence the 2. The layers of the paper apply a
/// nonlinearity to y. State `{h: [B,2,N]}`, real and imaginary parts; the output y has the size I
/// of the input. Parameters, with real and imaginary parts along the first axis of the complex
/// ones: `lambda: [2,N]`, `B: [2,N,I]`, `C: [2,I,N]`, `D: [I]`, `log_delta: [N]`.
///
/// At first lambda are the eigenvalues with positive imaginary parts of the normal part of the
/// HiPPO-LegS matrix of size 2N, with V its eigenvectors (the paper's appendix B.1): B = V^* B' and
/// C = C' V for normal real B' and C' of variances 1/I and 1/(2N). D is normal of variance 1, and
/// delta uniform over min_delta..max_delta on a logarithmic scale. Real parts of lambda are not
/// kept negative in training. Blocks of HiPPO matrices are not offered.
class S5 : public LinearCell {
 public:
  /// Throws ArgumentError for a size below 1 and unless 0 < min_delta <= max_delta.
  S5(Index inputs, Index hidden, const S5Options& options = {});

  Index outputs() const override { return inputs(); }
  Coefficients coefficients(const Variable& x) const override;
  Variable readout(const Variable& h, const Variable& x) const override;

 private:
  Parameter lambda_, b_, c_, d_, log_delta_;
};

}  // namespace unroll::nn
