#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct LSTM1997Options {
  /// The squashing functions of the paper's appendix A.1 in place of tanh:
  /// g(x) = 4 sigmoid(x) - 2, of range -2..2, and h(x) = 2 sigmoid(x) - 1, of range -1..1.
  bool paper_squashing = false;
};

/// Long short-term memory as first published (Hochreiter and Schmidhuber, Long short-term memory,
/// 1997, section 4): without a forget gate. What is in the cell state stays there, and its error
/// flows back unscaled.
///
///     i = sigmoid(W_ii x + W_hi h + b_i)        input gate
///     g =    tanh(W_ig x + W_hg h + b_g)        candidate
///     o = sigmoid(W_io x + W_ho h + b_o)        output gate
///     c' = c + i g,   h' = o tanh(c')
///
/// Every memory cell has gates of its own: memory cell blocks have size 1. The paper's functions g
/// and h are tanh here, as in most implementations; LSTM1997Options::paper_squashing selects those
/// of the paper. Gradients are full, not truncated at the gates as in the paper.
///
/// State {h: [B,H], c: [B,H]}. Parameters with rows in the order i, g, o: `weight_ih: [3H,I]`,
/// `weight_hh: [3H,H]`, `bias: [3H]`, uniform over +-1/sqrt(H) at first.
class LSTM1997 : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  LSTM1997(Index inputs, Index hidden, const LSTM1997Options& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  bool paper_squashing_;
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
