#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of GRUD.
struct GRUDOptions {
  Tensor mean = {};  ///< [D]: the empirical mean of each variable; zeros when left out
};

/// Gated recurrent unit with decay, for series with missing values (Che, Purushotham, Cho, Sontag
/// and Liu, Recurrent neural networks for multivariate time series with missing values, 2018,
/// section "GRU-D"). A missing value is replaced by one between the variable's last observation and
/// its mean, and the hidden state decays with the time since each variable was observed.
///
/// The input `x: [T,B,3D]` holds for D variables, in this order: the values v `[D]`, of which those
/// that are missing may be anything, NaN too; the mask m `[D]`, 1 for an observed value and 0 for a
/// missing one; and the elapsed times d `[D]` since the variable was observed last, 0 at the first
/// step. With l the last observations:
///
///     gamma_x = exp(-max(0, w_x d + b_x))           elementwise
///     gamma_h = exp(-max(0, W_d d + b_d))
///     v^ = m v + (1 - m) (gamma_x l + (1 - gamma_x) mean)
///     h^ = gamma_h h
///     r  = sigmoid(W_r v^ + U_r h^ + V_r m + b_r)      reset gate
///     z  = sigmoid(W_z v^ + U_z h^ + V_z m + b_z)      update gate
///     n  =    tanh(W_n v^ + U_n (r h^) + V_n m + b_n)  candidate
///     h' = (1 - z) h^ + z n
///     l' = m v + (1 - m) l
///
/// The reset gate comes before the product, as in the paper, and unlike nn::GRU. State {h: [B,H],
/// l: [B,D]}, output h; l is the mean, a buffer `mean: [D]`, before the first observation.
/// Parameters, with rows in the order r, z, n: `weight_ih: [3H,D]`, W, `weight_mh: [3H,D]`, V,
/// `bias: [3H]`, `weight_hh: [2H,H]`, U_r and U_z, `weight_nh: [H,H]`, U_n, `decay_x_weight: [D]`,
/// `decay_x_bias: [D]`, `decay_h_weight: [H,D]`, `decay_h_bias: [H]`, all uniform over +-1/sqrt(H)
/// at first. A mask other than 0 and 1 interpolates. Gradient checks with respect to x need elapsed
/// times above 0.
class GRUD : public Cell {
 public:
  /// The number of inputs of the cell is 3 `variables`. Throws ArgumentError when a size is below
  /// 1, ShapeError for a mean that is not [D].
  GRUD(Index variables, Index hidden, const GRUDOptions& options = {});

  State initial_state(Index batch, Dtype dtype) const override;
  /// Throws ArgumentError for an elapsed time that is negative or not finite.
  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Buffer mean_;
  Parameter weight_ih_, weight_mh_, bias_, weight_hh_, weight_nh_;
  Parameter decay_x_weight_, decay_x_bias_, decay_h_weight_, decay_h_bias_;
};

}  // namespace unroll::nn
