#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>

#include <vector>

namespace unroll::nn {

struct TimeDelayOptions {
  std::vector<Index> delays = {0, 1};  ///< D_0, ..., D_N: any steps, not negative, each once
  /// `[O,N+1,I]` of ones and zeros: which connections have which of the delays; all when left out.
  Tensor connections = {};
  bool bias = true;
};

/// A layer of a time delay neural network (Waibel et al., Phoneme recognition using time-delay
/// neural networks, 1989): every connection from a unit i to a unit j has a weight for each of its
/// delays.
///
///     y_j(t) = b_j + sum_i sum_n w_jni x_i(t - D_n)
///
/// `x: [T,B,I]`, result `[T,B,O]`; x is 0 before the first step. Parameters `weight: [O,N+1,I]`,
/// `bias: [O]`. Delays 0, 1, ..., N make it a causal one-dimensional convolution. Put an activation
/// and further layers behind it.
class TimeDelay : public Module {
 public:
  /// Throws ArgumentError when a size is below 1, or for delays that are missing, negative or
  /// double; ShapeError for connections of another shape.
  TimeDelay(Index inputs, Index outputs, const TimeDelayOptions& options = {});

  /// Throws ShapeError when x is not `[T,B,I]` or a delay reaches beyond its T steps.
  Variable operator()(const Variable& x) const;

 private:
  Index inputs_;
  TimeDelayOptions options_;
  Parameter weight_;
  std::vector<Parameter> bias_;  // one or none
};

/// Options of LearnedDelay.
struct LearnedDelayOptions {
  Index max_delay = 8;
  bool bias = true;
};

/// A time delay layer that learns its delays: a softmax over all delays between 1 and the maximal
/// one, for every connection. While it trains, the softmax converges to a one-hot encoding, which
/// selects one delay.
///
///     y_j(t) = b_j + sum_i w_ji sum_{d=1}^{D} p_jdi x_i(t - d),    p_jdi = softmax_d(v_jdi)
///
/// `x: [T,B,I]`, result `[T,B,O]`. Parameters `weight: [O,I]`, `delay: [O,D,I]`, v, zeros at first,
/// and `bias: [O]`.
class LearnedDelay : public Module {
 public:
  /// Throws ArgumentError when a size or the maximal delay is below 1.
  LearnedDelay(Index inputs, Index outputs, const LearnedDelayOptions& options = {});

  /// Throws ShapeError when x is not `[T,B,I]` or the maximal delay reaches beyond its T steps.
  Variable operator()(const Variable& x) const;

  /// p: `[O,D,I]`; the delay d stands at d - 1.
  Variable distribution() const;

 private:
  Index inputs_;
  Parameter weight_, delay_;
  std::vector<Parameter> bias_;  // one or none
};

}  // namespace unroll::nn
