#pragma once

#include <nn/recurrent/linear_cell.hpp>

namespace unroll::nn {

/// Options of LRU: where the eigenvalues lie at first.
struct LRUOptions {
  double r_min = 0.0;       ///< least absolute value
  double r_max = 1.0;       ///< largest absolute value
  double max_phase = 6.28;  ///< largest phase, in radians
};

/// The linear recurrent unit (Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu and De, Resurrecting
/// recurrent neural networks for long sequences, 2023, section 3 and appendix A), a linear
/// recurrence with a complex diagonal transition matrix:
///
///     lambda = exp(-exp(nu_log) + i exp(theta_log))        |lambda| < 1 for any parameters
///     h' = lambda h + exp(gamma_log) B x
///     y  = Re(C h') + D x
///
/// The network of the paper puts a nonlinear layer behind each such cell. State `{h: [B,2,N]}`,
/// real and imaginary parts; the output y has the size I of the input. Parameters, with real and
/// imaginary parts along the first axis of the complex ones: `nu_log: [N]`, `theta_log: [N]`,
/// `gamma_log: [N]`, `B: [2,N,I]`, `C: [2,I,N]`, `D: [I]`.
///
/// At first lambda is uniform on the ring r_min <= |lambda| <= r_max with phases in
/// 0..max_phase (lemma 3.2), gamma_log is log sqrt(1 - |lambda|^2), which keeps the size of h from
/// growing towards |lambda| = 1, and B, C and D are normal with variances 1/(2I), 1/N and 1.
class LRU : public LinearCell {
 public:
  /// Throws ArgumentError for a size below 1, unless 0 <= r_min < r_max <= 1, and for a max_phase
  /// that is not positive.
  LRU(Index inputs, Index hidden, const LRUOptions& options = {});

  Index outputs() const override { return inputs(); }
  Coefficients coefficients(const Variable& x) const override;
  Variable readout(const Variable& h, const Variable& x) const override;

 private:
  Parameter nu_log_, theta_log_, gamma_log_, b_, c_, d_;
};

}  // namespace unroll::nn
