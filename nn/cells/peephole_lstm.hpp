#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct PeepholeLSTMOptions {
  /// false: h' = o c', the cell output of the paper, which found no need for a squashing function.
  bool squash_output = true;
};

/// Long short-term memory with peephole connections (Gers, Schraudolph and Schmidhuber, Learning
/// precise timing with LSTM recurrent networks, 2002): the gates read the cell state, also while
/// the output gate is closed, which lets a cell count and time.
///
///     i = sigmoid(W_ii x + W_hi h + w_ci c  + b_i)        input gate
///     f = sigmoid(W_if x + W_hf h + w_cf c  + b_f)        forget gate
///     g =    tanh(W_ig x + W_hg h           + b_g)        candidate
///     c' = f c + i g
///     o = sigmoid(W_io x + W_ho h + w_co c' + b_o)        output gate, of the new cell state
///     h' = o tanh(c')
///
/// Each peephole weight connects a cell with its own gate. The squashing functions are tanh, as in
/// Graves (Generating sequences with recurrent neural networks, 2013) and Greff et al. (2015);
/// PeepholeLSTMOptions::squash_output leaves out that of the output.
///
/// State {h: [B,H], c: [B,H]}. Parameters with rows in the order i, f, g, o: `weight_ih: [4H,I]`,
/// `weight_hh: [4H,H]`, `bias: [4H]`, and `weight_ci: [H]`, `weight_cf: [H]`, `weight_co: [H]`,
/// uniform over +-1/sqrt(H) at first.
class PeepholeLSTM : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  PeepholeLSTM(Index inputs, Index hidden, const PeepholeLSTMOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  bool squash_output_;
  Parameter weight_ih_, weight_hh_, bias_, weight_ci_, weight_cf_, weight_co_;
};

}  // namespace unroll::nn
