#pragma once

#include <nn/learning/rule.hpp>

#include <deque>

namespace unroll::nn {

/// Options of TruncatedBPTT.
struct TruncatedBPTTOptions {
  Index k1 = 20;  ///< steps from update to update
  Index k2 = 20;  ///< steps that an update goes back; at least k1
  Teacher teacher = nullptr;
};

/// Truncated backpropagation through time, BPTT(h; h') of Williams and Peng (An efficient
/// gradient-based algorithm for on-line training of recurrent network trajectories, 1990, h = k2,
/// h' = k1): every k1 steps, the
/// losses of the last k1 steps are propagated back through the last k2. The state before those is a
/// constant. Each loss is in one update, so with k2 = T the updates of a sequence add up to the
/// full gradient for any k1.
///
///     k1 = k2        chunk after chunk
///     k1 = 1         a sliding window of k2 steps
///     k1 = k2 = 1    SimpleBackpropagation
///
/// A window is run anew for each update, from the state that the last run had where the window
/// begins: k2 / k1 runs of a step, but no tape lives from update to update, and values and
/// derivatives are those of the present weights. Remembers k1 + k2 inputs and two states.
class TruncatedBPTT : public LearningRule {
 public:
  /// Throws ArgumentError unless 1 <= k1 <= k2.
  TruncatedBPTT(Recurrent rnn, StepLoss loss, const TruncatedBPTTOptions& options = {});

 protected:
  /// For the rules that are special cases.
  TruncatedBPTT(const char* name, Recurrent rnn, StepLoss loss,
                const TruncatedBPTTOptions& options);

 private:
  struct Step {
    Tensor x, target;
  };

  void begin(const State& state, Index batch, Dtype dtype) override;
  std::optional<Update> read(const Tensor& x, const Tensor& target) override;
  std::optional<Update> rest() override;
  std::optional<Update> update();

  Index k1_, k2_;
  std::deque<Step> steps_;  // those of the last window, and the fresh ones
  State start_;             // before the first of them; empty: the initial state
  State next_;              // where the next window begins, left_behind_ steps later. The steps are
  Index left_behind_ = 0;   // kept until then: a rest of fewer than k1 steps goes back further
  Index fresh_ = 0;         // how many are in no update yet: the last ones
};

}  // namespace unroll::nn
