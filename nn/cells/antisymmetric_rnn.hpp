#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of AntisymmetricRNN.
struct AntisymmetricRNNOptions {
  double epsilon = 0.1;  ///< stepsize
  double gamma = 0.1;    ///< diffusion, which makes the step of Euler's method stable
  bool gated = false;    ///< with the input gate of section 3
};

/// Antisymmetric recurrent network (Chang, Chen, Haber and Chi, AntisymmetricRNN: a dynamical
/// system view on recurrent neural networks, 2019, section 3): one step of Euler's method on a
/// differential equation whose Jacobian has eigenvalues near the imaginary axis, so memories and
/// gradients neither grow nor fade. With A = W - W^T - gamma I:
///
///     h' = h + epsilon tanh(A h + V_h x + b_h)
///     h' = h + epsilon sigmoid(A h + V_z x + b_z) tanh(A h + V_h x + b_h)        gated
///
/// The gate shares A, which keeps the critical property. The paper stores W strictly upper
/// triangular; here it is a full matrix, of which only the antisymmetric part matters. W - W^T is
/// formed, and saved for the backward pass, at every step: H^2 elements each.
///
/// State {h: [B,H]}. Parameters: `weight_ih: [H,I]`, `weight_hh: [H,H]`, W, `bias: [H]`; gated,
/// with rows in the order h, z, `weight_ih: [2H,I]`, `bias: [2H]`. Uniform over +-1/sqrt(H) at
/// first.
class AntisymmetricRNN : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, epsilon is not positive or gamma is negative.
  AntisymmetricRNN(Index inputs, Index hidden, const AntisymmetricRNNOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  AntisymmetricRNNOptions options_;
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
