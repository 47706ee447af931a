#pragma once

#include <nn/saved_state.hpp>

#include <cstdint>
#include <vector>

namespace unroll::nn {

/// Options of NonMonotonicTrigger.
struct NonMonotonicTriggerOptions {
  std::int64_t window = 5;  ///< n, the number of latest losses that may be worse; at least 0
};

/// When to begin to average weights: NT-ASGD (Merity et al., 2018, Algorithm 1). It triggers at the
/// first validation loss that is worse than the best of those before the last `window`, as in the
/// authors' program, and stays triggered. The optimizer is SGD; the mean is an equal one:
///
///     nn::SGD sgd(model.parameters(), {.learning_rate = 30.0});
///     nn::AveragedWeights average(model.parameters(), {.averaging = nn::Averaging::equal});
///     nn::NonMonotonicTrigger trigger;
///     ...
///     sgd.step(gradients);                           // each step
///     if (trigger.triggered()) average.update();
///     ...
///     if (!trigger.triggered() && trigger.observe(validation_loss))  // each validation
///       average.update();                            // the mean starts with the present weights
class NonMonotonicTrigger {
 public:
  /// Throws ArgumentError for a negative window.
  explicit NonMonotonicTrigger(const NonMonotonicTriggerOptions& options = {});

  /// Returns triggered(). A NaN is worse than any number.
  bool observe(double validation_loss);
  bool triggered() const { return triggered_; }

  /// For saving: `triggered` and `count`, int64 scalars, and `losses`, float64 `[count]`.
  NamedTensors state() const;
  /// Continues from such a state; options are not part of it. Throws FormatError, and changes
  /// nothing, for a state that does not fit.
  void set_state(const NamedTensors& state);

 private:
  std::int64_t window_;
  std::vector<double> losses_;  // of every validation before it triggered
  bool triggered_ = false;
};

}  // namespace unroll::nn
