#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of LTC.
struct LTCOptions {
  Index unfold = 6;        ///< sub-steps of the solver in each step
  double dt = 1.0;         ///< time from step to step; not used when time is irregular
  bool irregular = false;  ///< the last column of x is the time since the previous step
};

/// Liquid time-constant network (Hasani, Lechner, Amini, Rus and Grosu, Liquid time-constant
/// networks, 2021): the solution of
///
///     dh/dt = -(1/tau + f) h + f A,    f = sigmoid(W_hh h + W_ih x + b)                (equation
///     1)
///
/// by the paper's fused solver, a semi-implicit Euler method (equation 3, algorithm 1), with
/// `unfold` sub-steps of s = dt / unfold in each of which f is computed anew from the h before it:
///
///     h <- (h + s f A) / (1 + s (1/tau + f))
///
/// The time constant 1 / (1/tau + f) depends on the input, hence the name. The paper leaves f open
/// and has a tanh in algorithm 1; here it is the sigmoid, which keeps every time constant positive,
/// and then h stays between 0 and A (theorems 1 and 2). 1/tau = softplus(rate), positive too.
///
/// With `irregular` the elapsed time dt is the last column of `x: [T,B,I]`, which I counts; it must
/// be positive, and 0, as in padding, leaves the state as it is.
///
/// State {h: [B,H]}. Parameters: `weight_ih: [H,I]`, or `[H,I-1]` with `irregular`,
/// `weight_hh: [H,H]`, `bias: [H]`, `rate: [H]`, with which tau is 1 at first, and `reversal: [H]`,
/// A, uniform over +-1 at first.
class LTC : public Cell {
 public:
  /// Throws ArgumentError when a size or unfold is below 1, dt is not positive, or there is no
  /// input beside the elapsed time.
  LTC(Index inputs, Index hidden, const LTCOptions& options = {});

  /// Throws ArgumentError for an elapsed time that is negative or not finite.
  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  LTCOptions options_;
  Parameter weight_ih_, weight_hh_, bias_, rate_, reversal_;
};

}  // namespace unroll::nn
