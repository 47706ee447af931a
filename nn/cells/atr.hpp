#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Addition-subtraction twin-gated recurrent network (Zhang, Xiong, Su, Lin and Zhang, Simplifying
/// neural machine translation with addition-subtraction twin-gated recurrent networks, 2018): both
/// gates come from the two products of a simple recurrent network.
///
///     p  = W x + b
///     q  = U h
///     i  = sigmoid(p + q)                       input gate
///     f  = sigmoid(p - q)                       forget gate
///     h' = i p + f h
///
/// The paper writes no bias. State {h: [B,H]}. Parameters: `weight_ih: [H,I]`, W, `weight_hh:
/// [H,H]`, U, and `bias: [H]`.
class ATR : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  ATR(Index inputs, Index hidden);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
