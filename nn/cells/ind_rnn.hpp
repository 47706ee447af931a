#pragma once

#include <nn/layers/activation.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of IndRNN.
struct IndRNNOptions {
  Activation activation = relu;
  /// The recurrent weights are uniform over this range at first. For sequences of T steps the paper
  /// has 0 to 2^(1/T); in a last layer that is read after the last step only, e^(1/T) to 2^(1/T)
  /// with a small e, which makes every unit remember.
  double min_recurrent = 0.0;
  double max_recurrent = 1.0;
};

/// Independently recurrent neural network (Li, Li, Cook, Zhu and Gao, Independently recurrent
/// neural network (IndRNN): building a longer and deeper RNN, 2018): each unit reads its own
/// previous value alone, and the layers above mix the units.
///
///     h' = f(W x + b + u h)                     u h elementwise
///
/// The gradient over n steps grows as u^n, so the paper holds |u| below 2^(1/T) in training too:
/// `u.set(clamp(u.value(), -bound, bound).value())` after each step of the optimizer.
///
/// State {h: [B,H]}. Parameters: `weight_ih: [H,I]`, W, `weight_hh: [H]`, u, and `bias: [H]`.
class IndRNN : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1, or unless min_recurrent <= max_recurrent, both
  /// finite.
  IndRNN(Index inputs, Index hidden, const IndRNNOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Activation activation_;
  Parameter weight_ih_, weight_hh_, bias_;
};

}  // namespace unroll::nn
