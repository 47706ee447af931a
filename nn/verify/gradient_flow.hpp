#pragma once

#include <nn/learning/rule.hpp>
#include <nn/recurrent/cell.hpp>

#include <optional>
#include <string>
#include <vector>

namespace unroll::nn {

struct GradientFlowOptions {
  State state = {};         ///< before the first step, constants; empty: the cell's initial state
  StepLoss loss = nullptr;  ///< of every step, for GradientFlow::loss_gradient
  Tensor targets = {};      ///< `[T,B,...]`, for the loss
  /// lambda_W lambda_phi, a bound on the norm of one step; 0: the largest that is measured.
  double spectral_bound = 0.0;
  /// Which tensor of the state to look at, as 1 for the c of an LSTM; all of them when left out.
  std::optional<std::size_t> part = std::nullopt;
};

/// How gradients flow from the last step T of a sequence back to step k = T - lag. Norms are
/// `[T+1,B]` float64: a row for each lag from 0 to T, a column for each sequence.
struct GradientFlow {
  Tensor spectral;              ///< |dS_T/dS_k|, the largest singular value
  Tensor frobenius;             ///< the root of the sum of squares
  Tensor loss_gradient;         ///< |dE/dS_k|, E summed over the steps; undefined without a loss
  double spectral_bound = 0.0;  ///< on the norm of one step
  std::vector<double> bound;    ///< spectral_bound^lag, on every spectral norm of that lag

  /// The factor by which the spectral norm changes in a step: its T-th root at lag T, the
  /// geometric mean over the batch. Below 1 gradients vanish, above 1 they explode. NaN when a norm
  /// is.
  double rate() const;
  /// A table with a line for each lag, some left out when there are many, and what it comes to in
  /// words. The norms are the largest of the batch.
  std::string to_string() const;
};

/// Vanishing and exploding gradients, measured (Bengio, Simard and Frasconi, Learning long-term
/// dependencies with gradient descent is difficult, 1994):
///
///     dS_T/dS_k = prod_{i=k+1}^{T} dS_i/dS_{i-1}
///     |dS_i/dS_{i-1}| <= lambda_W lambda_phi      |dS_T/dS_k| <= (lambda_W lambda_phi)^{T-k}
///
/// `x: [T,B,I]`, T at least 1. S is the whole state, h and c of an LSTM. For an Elman network
/// lambda_W is spectral_norm(W_hh) and lambda_phi the largest slope of the activation: 1 for tanh,
/// 1/4 for sigmoid. To look back from an earlier step, cut x. Throws ShapeError, TapeError for a
/// recorded state, ArgumentError for a part that the cell has not, a negative bound, and a loss
/// without targets.
GradientFlow gradient_flow(const Cell& cell, const Tensor& x,
                           const GradientFlowOptions& options = {});

/// The largest singular value of `matrix: [M,N]`. Throws ShapeError, DtypeError for int64.
double spectral_norm(const Tensor& matrix);

}  // namespace unroll::nn
