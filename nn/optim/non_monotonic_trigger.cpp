#include <autograd/tensor/error.hpp>
#include <nn/optim/non_monotonic_trigger.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace unroll::nn {

NonMonotonicTrigger::NonMonotonicTrigger(const NonMonotonicTriggerOptions& options)
    : window_(options.window) {
  if (window_ < 0)
    throw ArgumentError("NonMonotonicTrigger: the window must not be negative, it is " +
                        std::to_string(window_));
}

bool NonMonotonicTrigger::observe(double validation_loss) {
  if (triggered_) return true;
  const auto older = static_cast<std::int64_t>(losses_.size()) - window_;
  double best = std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < older; ++k)
    best = std::min(best, losses_[static_cast<std::size_t>(k)]);  // a NaN is passed over
  triggered_ = older > 0 && !(validation_loss <= best);
  losses_.push_back(validation_loss);
  return triggered_;
}

NamedTensors NonMonotonicTrigger::state() const {
  const auto count = static_cast<std::int64_t>(losses_.size());
  return {{"triggered", saved_state::scalar(std::int64_t{triggered_})},
          {"count", saved_state::scalar(count)},
          {"losses", Tensor::of({count}, losses_)}};
}

void NonMonotonicTrigger::set_state(const NamedTensors& state) {
  saved_state::Reader saved("NonMonotonicTrigger", "trigger", state);
  const bool triggered = saved.count("triggered") != 0;
  const Tensor* losses = saved.take("losses", {saved.count("count")});
  saved.finish();
  losses_ = losses->to_vector<double>();
  triggered_ = triggered;
}

}  // namespace unroll::nn
