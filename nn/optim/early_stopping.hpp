#pragma once

#include <nn/optim/best_metric.hpp>
#include <nn/saved_state.hpp>

#include <cstdint>

namespace unroll::nn {

/// Options of EarlyStopping.
struct EarlyStoppingOptions {
  std::int64_t patience = 10;  ///< metrics in a row that are no better before it stops; at least 1
  double min_delta = 0.0;      ///< by which a metric must be better than the best
  Goal goal = Goal::minimise;
};

/// Reports when a validation metric has stopped to improve (Prechelt, 1998, criterion UP).
///
///     const bool stop = stopping.observe(validation_loss);
///     if (stopping.since_best() == 0) nn::save(model, "best.safetensors");
///     if (stop) break;
class EarlyStopping {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit EarlyStopping(const EarlyStoppingOptions& options = {});

  /// True when training should stop. A NaN counts as no better.
  bool observe(double metric);
  /// NaN until there is one.
  double best() const { return best_.value(); }
  /// Number of metrics observed since the best one.
  std::int64_t since_best() const { return best_.since(); }

  /// For saving: float64 and int64 scalars.
  NamedTensors state() const;
  /// Continues from such a state; options are not part of it. Throws FormatError, and changes
  /// nothing, for a state that does not fit.
  void set_state(const NamedTensors& state);

 private:
  std::int64_t patience_;
  BestMetric best_;
};

}  // namespace unroll::nn
