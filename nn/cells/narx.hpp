#pragma once

#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

#include <optional>

namespace unroll::nn {

struct NARXOptions {
  Index output_delays = 1;                           ///< Ty, at least 1
  Index input_delays = 0;                            ///< Tx
  Activation activation = tanh;                      ///< f, of the hidden layer
  Activation output_activation = linear_activation;  ///< of the output
};

/// Non-linear auto-regressive exogenous model with a hidden layer and tapped delay lines
/// (Lin, Horne, Tino and Giles, Learning long-term dependencies in NARX recurrent networks, 1996):
///
///     y(t) = g(y(t-1), ..., y(t-Ty), x(t), ..., x(t-Tx))
///     g    = g_out(V f(W x(t) + b + D [x(t-1) .. x(t-Tx)] + R [y(t-1) .. y(t-Ty)]) + c)
///
/// State {[y(t) .. y(t-Ty+1)]: [B,Ty O], [x(t) .. x(t-Tx+1)]: [B,Tx I]}, the second only when Tx >
/// 0; output y. Parameters `input.weight: [H,I]`, W, `input.bias: [H]`, b, `feedback.weight: [H,Ty
/// O]`, R, `readout.weight: [O,H]`, V, `readout.bias: [O]`, c, and for Tx > 0 `delayed.weight:
/// [H,Tx I]`, D. With Ty = 1 and Tx = 0 it is nn::Jordan.
///
/// In open loop the delay line of y holds targets (UnrollOptions::targets), which is how such nets
/// are trained; in closed loop its own outputs, for forecasts over many steps.
class NARX : public Cell {
 public:
  /// Throws ArgumentError when a size or Ty is below 1, or Tx below 0.
  NARX(Index inputs, Index hidden, Index outputs, const NARXOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  Variable output(const State& state) const override;
  Index outputs() const override { return outputs_; }
  State force(const State& state, const Variable& target) const override;

 private:
  Index outputs_;
  Activation activation_, output_activation_;
  Linear input_, feedback_, readout_;
  std::optional<Linear> delayed_;
};

}  // namespace unroll::nn
