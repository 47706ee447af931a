#pragma once

#include <nn/learning/forward_rule.hpp>

#include <vector>

namespace unroll::nn {

/// Focused backpropagation (Mozer, A focused backpropagation algorithm for temporal pattern
/// recognition, 1989): errors go back in time from a unit to itself alone. In Mozer's network a
/// context unit c_i(t) = d_i c_i(t-1) + s(net_i(t)) reads no other, and the rule is exact, carried
/// forward in two traces:
///
///     alpha_i(t) = c_i(t-1) + d_i alpha_i(t-1)          dE/dd_i  = delta_i alpha_i
///     beta_ij(t) = s'(net_i) y_j + d_i beta_ij(t-1)     dE/dw_ij = delta_i beta_ij
///
/// For any cell, the Jacobian of a step is cut down to what a unit passes to itself. Parts of the
/// state that have one size are parts of the same units: h_k and c_k of an LSTM are one.
///
/// An update at every step, exact where no unit reads another, as in nn::FixedContextElman.
/// Remembers B n |theta| elements as RTRL does; a step costs B n |theta|.
class FocusedBackpropagation : public ForwardRule {
 public:
  explicit FocusedBackpropagation(Recurrent rnn, StepLoss loss,
                                  const LearningOptions& options = {});

 protected:
  void carry(const Tensor& jacobian, const Tensor& before, Tensor& after) const override;
};

}  // namespace unroll::nn
