#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Long short-term memory with a recurrent projection layer (LSTMP; Sak, Senior and Beaufays, Long
/// short-term memory recurrent neural network architectures for large scale acoustic modeling,
/// 2014): the P elements that the gates read and that the layer returns are a linear projection of
/// H cells. Many cells then cost few recurrent weights.
///
///     i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)        input gate
///     f = sigmoid(W_if x + b_if + W_hf h + b_hf)        forget gate
///     g =    tanh(W_ig x + b_ig + W_hg h + b_hg)        candidate
///     o = sigmoid(W_io x + b_io + W_ho h + b_ho)        output gate
///     c' = f c + i g,   h' = W_hr (o tanh(c'))
///
/// As in PyTorch's LSTM with proj_size, without the paper's peepholes and its second projection,
/// which is not recurrent.
///
/// State {h: [B,P], c: [B,H]}, output h. Parameters, as in PyTorch, with rows in the order i, f, g,
/// o: `weight_ih: [4H,I]`, `weight_hh: [4H,P]`, `bias_ih: [4H]`, `bias_hh: [4H]`, `weight_hr:
/// [P,H]`, uniform over +-1/sqrt(H) at first.
class ProjectedLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1 or there are more projections than cells.
  ProjectedLSTM(Index inputs, Index hidden, Index projections);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hh_, bias_ih_, bias_hh_, weight_hr_;
};

}  // namespace unroll::nn
