#pragma once

#include <nn/learning/rule.hpp>

#include <vector>

namespace unroll::nn {

/// How the state depends on one parameter: dS/dtheta, `[B,n,|theta|]`, n being the sizes of all
/// parts of the state together.
struct Influence {
  Parameter parameter;
  Tensor matrix;
};

/// What the rules that work forward in time share: beside the state they carry its influences, and
/// so have gradients at every step and remember no input.
///
///     J_t      = dS_t/dS_{t-1}                        one vjp for each row of each sequence
///     P_t      = dS_t/dtheta = I_t + "J_t P_{t-1}"    I_t: theta used in step t, S_{t-1} constant
///     dE_t/dtheta = dE_t/dS_t P_t                     and what the readout adds
///
/// What stands for the product is the rule. Vjps of a batch would add up the sequences' I_t, so
/// each sequence has a tape of its own.
class ForwardRule : public LearningRule {
 public:
  const std::vector<Influence>& influences() const { return influences_; }

 protected:
  ForwardRule(const char* name, Recurrent rnn, StepLoss loss, const LearningOptions& options);

  /// Adds to `after: [n,k]`, which holds I_t, the part of `before: [n,k]` that the step passes on,
  /// given its `jacobian: [n,n]`: for one sequence and the k elements of one parameter. All are
  /// contiguous; write to `after` in place. An output that is not part of the state gets the whole
  /// product.
  virtual void carry(const Tensor& jacobian, const Tensor& before, Tensor& after) const = 0;

 private:
  void begin(const State& state, Index batch, Dtype dtype) override;
  std::optional<Update> read(const Tensor& x, const Tensor& target) override;
  Call call(Index batch, Dtype dtype) const;
  Step transition(const Tensor& x, const State& before, const Tensor& forced) const;
  Tensor& matrix_of(std::vector<Influence>& influences, const Parameter& parameter,
                    Index rows) const;
  void check_recurrent(const Tensor& x);

  Tensor values_;  // the state, [B,n]
  std::vector<Influence> influences_;
  Tensor forced_;         // what the cell reads in place of its last output; undefined: the output
  bool checked_ = false;  // that the cell is recurrent
};

}  // namespace unroll::nn
