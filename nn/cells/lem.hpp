#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of LEM.
struct LEMOptions {
  double dt = 1.0;  ///< the largest stepsize; at most 1 keeps both states within -1..1
};

/// Long expressive memory (Rusch, Mishra, Erichson and Mahoney, Long expressive memory for sequence
/// modeling, 2022, equation 3): the discretisation of a system of two time scales, both of which
/// are learned functions of input and state.
///
///     s_n = dt sigmoid(W_1 y_{n-1} + V_1 x_n + b_1)        time step of z
///     r_n = dt sigmoid(W_2 y_{n-1} + V_2 x_n + b_2)        time step of y
///     z_n = (1 - s_n) z_{n-1} + s_n tanh(W_z y_{n-1} + V_z x_n + b_z)
///     y_n = (1 - r_n) y_{n-1} + r_n tanh(W_y z_n + V_y x_n + b_y)
///
/// State {y: [B,H], z: [B,H]}, output y. Parameters, with rows in the order 1, 2, z, y:
/// `weight_ih: [4H,I]`, `weight_hh: [3H,H]`, which has no W_y, `weight_zh: [H,H]`, W_y,
/// `bias: [4H]`, uniform over +-1/sqrt(H) at first, as in the paper.
class LEM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1 or dt is not positive.
  LEM(Index inputs, Index hidden, const LEMOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  double dt_;
  Parameter weight_ih_, weight_hh_, weight_zh_, bias_;
};

}  // namespace unroll::nn
