#include <autograd/tensor/error.hpp>
#include <nn/optim/early_stopping.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {

EarlyStopping::EarlyStopping(const EarlyStoppingOptions& options)
    : patience_(options.patience), best_(options.goal, options.min_delta, 0.0) {
  if (patience_ < 1)
    throw ArgumentError("EarlyStopping: the patience must be at least 1, it is " +
                        std::to_string(patience_));
  if (!(options.min_delta >= 0.0 && std::isfinite(options.min_delta)))
    throw ArgumentError("EarlyStopping: min_delta must be finite and not negative, it is " +
                        std::to_string(options.min_delta));
}

bool EarlyStopping::observe(double metric) {
  best_.observe(metric);
  return best_.since() >= patience_;
}

NamedTensors EarlyStopping::state() const {
  NamedTensors state;
  best_.append_to(state);
  return state;
}

void EarlyStopping::set_state(const NamedTensors& state) {
  saved_state::Reader saved("EarlyStopping", "early stopping", state);
  const BestMetric next = BestMetric::read(saved, best_);
  saved.finish();
  best_ = next;
}

}  // namespace unroll::nn
