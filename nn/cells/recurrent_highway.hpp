#pragma once

#include <nn/recurrent/cell.hpp>

#include <vector>

namespace unroll::nn {

/// Options of RecurrentHighway.
struct RecurrentHighwayOptions {
  Index depth = 3;  ///< L, the highway layers of one step
  /// Initial b_T. A negative value makes a layer carry its input at first.
  double transform_bias = -2.0;
};

/// Recurrent highway network (Zilly, Srivastava, Koutnik and Schmidhuber, Recurrent highway
/// networks, 2017, equations 6 to 9): several nonlinear layers from one step to the next. With s_0
/// = h, for l = 1..L:
///
///     c_l = tanh(W_H x [l = 1] + R_Hl s_{l-1} + b_Hl)         candidate
///     t_l = sigmoid(W_T x [l = 1] + R_Tl s_{l-1} + b_Tl)      transform gate
///     s_l = t_l c_l + (1 - t_l) s_{l-1}
///     h'  = s_L
///
/// The carry gate is 1 - t, the variant of the paper's experiments. State {h: [B,H]}. Parameters,
/// with rows in the order H, T: `weight_ih: [2H,I]`, W; for each layer l from 1 `weight_hh_<l>:
/// [2H,H]`, R_l, and `bias_<l>: [2H]`, b_l.
class RecurrentHighway : public Cell {
 public:
  /// Throws ArgumentError when a size or the depth is below 1 or the transform bias is not finite.
  RecurrentHighway(Index inputs, Index hidden, const RecurrentHighwayOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_;
  std::vector<Parameter> weights_hh_, biases_;  // of the layers
};

}  // namespace unroll::nn
