#pragma once

#include <nn/layers/linear.hpp>
#include <nn/recurrent/linear_cell.hpp>

namespace unroll::nn {

/// Options of SelectiveSSM.
struct SelectiveSSMOptions {
  Index state = 16;         ///< N, the size of the state of each channel
  Index rank = 0;           ///< R, of the product that makes delta; 0: ceil(D / 16)
  double min_delta = 1e-3;  ///< of softplus(b_delta) at first
  double max_delta = 0.1;   ///< of softplus(b_delta) at first
};

/// The selective state space model of Mamba, S6 (Gu and Dao, Mamba: linear-time sequence modeling
/// with selective state spaces, 2023, algorithm 2), with a state of N elements for each of D
/// channels:
///
///     delta = softplus(W_delta (W_r x) + b_delta)      [D]
///     B = W_B x,   C = W_C x                           [N]
///     h'[d,n] = exp(delta[d] A[d,n]) h[d,n] + delta[d] B[n] x[d],   A = -exp(A_log)
///     y[d] = sum_n C[n] h'[d,n] + D[d] x[d]
///
/// A is discretised by zero-order hold, and B by Euler's rule as in the code of the authors, where
/// equation 4 of the paper has zero-order hold for both. This is the core alone: the convolution,
/// the gate and the projections of the Mamba block go around it. State `{h: [B,D,N]}`. A layer
/// keeps the coefficients and states of all steps, `[T,B,D,N]`, for the backward pass;
/// Recurrent::checkpointed limits that. Parameters, named and shaped as in the code of the authors,
/// with rows in the order W_r, W_B, W_C: `x_proj.weight: [R+2N,D]`, `dt_proj.weight: [D,R]`,
/// `dt_proj.bias: [D]`, `A_log: [D,N]`, `D: [D]`. At first A[d,n] = -(n + 1), for n from 0 on, D is
/// 1, softplus(dt_proj.bias) is uniform over min_delta..max_delta on a logarithmic scale,
/// dt_proj.weight is uniform over +-1/sqrt(R) and x_proj.weight over +-1/sqrt(D).
class SelectiveSSM : public LinearCell {
 public:
  /// Throws ArgumentError for sizes below 1 (rank: below 0) and unless
  /// 0 < min_delta <= max_delta.
  explicit SelectiveSSM(Index channels, const SelectiveSSMOptions& options = {});

  Index outputs() const override { return inputs(); }
  Coefficients coefficients(const Variable& x) const override;
  Variable readout(const Variable& h, const Variable& x) const override;

 private:
  Index modes_, rank_;
  Linear x_proj_, dt_proj_;
  Parameter a_log_, d_;
};

}  // namespace unroll::nn
