#pragma once

#include <nn/layers/activation.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of Elman.
struct ElmanOptions {
  Activation activation = tanh;
};

/// Simple recurrent network (Elman, Finding structure in time, 1990):
///
///     h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
///
/// State {h: [B,H]}. Parameters, as in PyTorch's RNN: `weight_ih: [H,I]`, `weight_hh: [H,H]`,
/// `bias_ih: [H]`, `bias_hh: [H]`.
class Elman : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  Elman(Index inputs, Index hidden, const ElmanOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Activation activation_;
  Parameter weight_ih_, weight_hh_, bias_ih_, bias_hh_;
};

}  // namespace unroll::nn
