#pragma once

#include <nn/learning/forward_rule.hpp>

namespace unroll::nn {

/// Real-time recurrent learning (Williams and Zipser, A learning algorithm for continually running
/// fully recurrent neural networks, 1989): the exact influence of every parameter on the
/// state is carried forward.
///
///     dS_t/dtheta = J_t dS_{t-1}/dtheta + I_t
///
///     p^k_ij(t+1) = phi'(z_k) [sum_l w_kl p^l_ij(t) + delta_ik xi_j]      for nn::WilliamsZipser
///
/// An update at every step, and with unchanged weights the updates add up to the gradients of BPTT.
/// When weights change from step to step, older influences are those of older weights, as in the
/// paper. Remembers B n |theta| elements for n elements of state; a step costs B n^2 |theta|.
class RTRL : public ForwardRule {
 public:
  explicit RTRL(Recurrent rnn, StepLoss loss, const LearningOptions& options = {});

 protected:
  void carry(const Tensor& jacobian, const Tensor& before, Tensor& after) const override;
};

}  // namespace unroll::nn
