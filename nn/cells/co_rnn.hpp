#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of CoRNN.
struct CoRNNOptions {
  double dt = 0.05;               ///< stepsize
  double gamma = 1.0;             ///< stiffness: the square of the frequency without input
  double epsilon = 1.0;           ///< damping
  bool implicit_damping = false;  ///< whether damping acts on the new velocity
};

/// Coupled oscillatory recurrent network (Rusch and Mishra, Coupled oscillatory recurrent neural
/// network (coRNN): an accurate and (gradient) stable architecture for learning long time
/// dependencies, 2021). The hidden units are damped, driven oscillators with position y and
/// velocity z, whose gradients neither explode nor vanish over long times:
///
///     y'' = tanh(W y + U y' + V x + b) - gamma y - epsilon y'                          (equation
///     1)
///
/// It is discretised by the paper's implicit-explicit scheme (equation 3): the new position uses
/// the new velocity, and everything else the previous state.
///
///     z_n = z_{n-1} + dt (tanh(W y_{n-1} + U z_{n-1} + V x_n + b) - gamma y_{n-1} - epsilon z_m)
///     y_n = y_{n-1} + dt z_n
///
/// The paper allows m = n - 1 and m = n. The default is m = n - 1, as in the experiments that the
/// authors published; `implicit_damping` is m = n, which divides by 1 + dt epsilon and is stable
/// for any damping.
///
/// State {y: [B,H], z: [B,H]}, output y. Parameters: `weight_ih: [H,I]`, V, `weight_hh: [H,2H]`,
/// [W U] side by side, `bias: [H]`, uniform over +-1/sqrt(H) at first.
class CoRNN : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, dt is not positive, or gamma or epsilon is
  /// negative.
  CoRNN(Index inputs, Index hidden, const CoRNNOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  double dt_, gamma_;
  double keep_, drive_;  // z_n = keep z_{n-1} + drive (force)
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
