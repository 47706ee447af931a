#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of Reservoir.
struct ReservoirOptions {
  double spectral_radius = 0.9;  ///< largest |eigenvalue| of the recurrent weights
  double connectivity = 0.1;     ///< share of units that each unit reads; one at least
  double leak = 1.0;             ///< a, at most 1: 1 is a unit that does not integrate
  double input_scale = 1.0;      ///< bound of the input weights
  double bias_scale = 0.0;       ///< bound of the biases
};

/// Echo state network (Jaeger, The "echo state" approach to analysing and training recurrent neural
/// networks, 2001) with leaky-integrator units (Jaeger, Lukosevicius, Popovici and Siewert,
/// Optimization and applications of echo state networks with leaky-integrator neurons, 2007):
///
///     h' = (1 - a) h + a tanh(W h + W_in x + b)
///
/// The weights are random and stay as they are drawn; only a readout is trained, in one go, by
/// ridge_regression (nn/learning/ridge_regression.hpp) on the outputs. Gradients flow through the
/// cell to its input and state. Where the spectral radius is below 1, the influence of the first
/// state usually fades: the echo state property. Outputs of the first steps, before that, are best
/// left out of the regression.
///
/// Each row of W has round(connectivity H) elements that are not zero, at least one, uniform before
/// W is scaled to the spectral radius; W_in and b are uniform over +-input_scale and +-bias_scale.
/// All draw from the thread's generator.
///
/// State {h: [B,H]}. No parameters; the weights are buffers, saved with the module: `weight_ih:
/// [H,I]`, W_in, `weight_hh: [H,H]`, W, and `bias: [H]`, b.
class Reservoir : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, connectivity or leak is not above 0 and at most
  /// 1, the spectral radius is not positive, or a scale is negative.
  Reservoir(Index inputs, Index hidden, const ReservoirOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

  const Tensor& weight_ih() const { return weight_ih_.value(); }
  const Tensor& weight_hh() const { return weight_hh_.value(); }
  const Tensor& bias() const { return bias_.value(); }

 private:
  double leak_;
  Buffer weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
