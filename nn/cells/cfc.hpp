#pragma once

#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

#include <optional>

namespace unroll::nn {

/// Options of CfC.
struct CfCOptions {
  bool gated = true;         ///< false: the paper's variant CfC-noGate
  Index backbone_units = 0;  ///< of the layer that f, g and k share; 0: there is none
  Activation backbone_activation = tanh;
  double dt = 1.0;         ///< time from step to step; not used when time is irregular
  bool irregular = false;  ///< the last column of x is the time since the previous step
};

/// Closed-form continuous-time network (Hasani, Lechner, Amini, Liebenwein, Ray, Tschaikowski,
/// Teschl and Rus, Closed-form continuous-time neural networks, 2022): an approximation in closed
/// form of the solution of a liquid time-constant network, so no solver runs. Time is explicit in
/// a gate that moves from one head to the other:
///
///     s  = sigmoid(-f t)                                   t: the elapsed time dt
///     h' = s tanh(g) + (1 - s) tanh(k)                     gated
///     h' = s tanh(g) + tanh(k)                             not gated
///
/// f, g and k are the paper's f, g and h, with the tanh of the authors' program on the latter two.
/// They are affine functions of [x, h] or, with a backbone, of act(W_ih x + W_hh h + b). That
/// program also adds a learned shift within the gate, which the paper's equation has not and which
/// is left out here, as is the variant Cf-S without heads.
///
/// With `irregular` the elapsed time is the last column of `x: [T,B,I]`, which I counts; it must be
/// positive, and 0, as in padding, does no harm.
///
/// State {h: [B,H]}. Parameters, with rows in the order f, g, k: `weight_ih: [3H,I]`,
/// `weight_hh: [3H,H]`, `bias: [3H]`; with a backbone of U units `weight_ih: [U,I]`,
/// `weight_hh: [U,H]`, `bias: [U]`, `head.weight: [3H,U]`, `head.bias: [3H]`. With `irregular`,
/// weight_ih has one column less.
class CfC : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, backbone_units is negative, dt is not positive,
  /// or there is no input beside the elapsed time.
  CfC(Index inputs, Index hidden, const CfCOptions& options = {});

  /// Throws ArgumentError for an elapsed time that is negative or not finite.
  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  CfCOptions options_;
  Index units_;  // rows of weight_ih
  Parameter weight_ih_, weight_hh_, bias_;
  std::optional<Linear> head_;
};

}  // namespace unroll::nn
