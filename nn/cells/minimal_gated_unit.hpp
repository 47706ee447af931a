#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Minimal gated unit (Zhou, Wu, Zhang and Zhou, Minimal gated unit for recurrent neural networks,
/// 2016): a GRU whose update gate is its reset gate too.
///
///     f  = sigmoid(W_f x + b_f + U_f h)         forget gate
///     c  =    tanh(W_c x + b_c + U_c (f h))     candidate
///     h' = (1 - f) h + f c
///
/// State {h: [B,H]}. Parameters, with rows in the order f, c: `weight_ih: [2H,I]`, W, and `bias:
/// [2H]`; `weight_hf: [H,H]`, U_f; `weight_hc: [H,H]`, U_c. docs/cells.md writes the same cell step
/// by step.
class MinimalGatedUnit : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  MinimalGatedUnit(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hf_, weight_hc_, bias_;
};

}  // namespace unroll::nn
