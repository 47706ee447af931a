#pragma once

#include <autograd/ops/softmax.hpp>
#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct OutputToHiddenOptions {
  Activation activation = tanh;  ///< f
  /// phi, from the logits o to what is fed back.
  Activation feedback = [](const Variable& o) { return softmax(o); };
};

/// Recurrent through the output only (Goodfellow, Bengio and Courville, Deep learning, 2016, figure
/// 10.4), with a softmax:
///
///     a(t) = b + W y(t-1) + U x(t)      h(t) = f(a(t))
///     o(t) = c + V h(t)                 y(t) = phi(o(t))
///
/// State {o: [B,O], y: [B,O]}. The output is o, the logits, for losses such as cross_entropy that
/// are stable only from these. Parameters `input.weight: [H,I]`, which is U, `input.bias: [H]`, b,
/// `feedback.weight: [H,O]`, W, `readout.weight: [O,H]`, V, `readout.bias: [O]`, c.
///
/// Forcing (UnrollOptions::targets) opens the network up: the target, in the form of y, for softmax
/// one-hot, replaces y(t), and the time steps no longer depend on each other.
class OutputToHidden : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  OutputToHidden(Index inputs, Index hidden, Index outputs,
                 const OutputToHiddenOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  State force(const State& state, const Variable& target) const override;

 private:
  Activation activation_, feedback_activation_;
  Linear input_, feedback_, readout_;
};

}  // namespace unroll::nn
