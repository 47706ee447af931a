#pragma once

#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct Jordan1986Options {
  Activation activation = sigmoid;         ///< f
  Activation output_activation = sigmoid;  ///< g
  double decay = 0.5;                      ///< mu: what a state unit keeps of itself; 0 <= mu < 1
};

/// Jordan's network of 1986 (Serial order: a parallel distributed processing approach).
/// Plan and state units are the inputs; a state unit reads its output unit and itself, with fixed
/// weights:
///
///     s(t) = mu s(t-1) + y(t-1)
///     a(t) = f(W p(t) + R s(t) + b)
///     y(t) = g(V a(t) + c)
///
/// The plan p is the input x; held constant, it selects which sequence is output. State {y: [B,O],
/// s: [B,O]}, output y. Parameters `plan.weight: [H,P]`, `plan.bias: [H]`, `state.weight: [H,O]`,
/// `readout.weight: [O,H]`, `readout.bias: [O]`. With mu = 0 it is nn::Jordan. Can be forced
/// (UnrollOptions::targets), as Jordan trained it.
class Jordan1986 : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1 or the decay is not in [0,1).
  Jordan1986(Index plan, Index hidden, Index outputs, const Jordan1986Options& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  State force(const State& state, const Variable& target) const override;

 private:
  Activation activation_, output_activation_;
  double decay_;
  Linear plan_, state_, readout_;
};

}  // namespace unroll::nn
