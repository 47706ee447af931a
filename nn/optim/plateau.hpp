#pragma once

#include <nn/optim/best_metric.hpp>
#include <nn/saved_state.hpp>

#include <cstdint>

namespace unroll::nn {

/// Options of Plateau.
struct PlateauOptions {
  double factor = 0.1;         ///< of each reduction, in [0, 1)
  std::int64_t patience = 10;  ///< metrics in a row that may be no better before a reduction
  double threshold = 1e-4;     ///< by which a metric must be better, as a fraction of the best
  std::int64_t cooldown = 0;   ///< metrics after a reduction that do not count as no better
  double min_factor = 0.0;     ///< of the base learning rate; in [0, 1]
  Goal goal = Goal::minimise;
};

/// Reduces the learning rate when a metric has stopped to improve: PyTorch's ReduceLROnPlateau, as
/// a factor of the base learning rate. After each validation:
///
///     optimizer.set_learning_rate(base * plateau.observe(validation_loss));
///
/// PyTorch takes the threshold as a fraction of the signed best metric; here it is a fraction of
/// its absolute value, so a negative metric must improve too.
class Plateau {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit Plateau(const PlateauOptions& options = {});

  /// Returns the factor from now on. A NaN counts as no better.
  double observe(double metric);
  double factor() const { return factor_; }
  /// NaN until there is one.
  double best() const { return best_.value(); }

  /// For saving: float64 and int64 scalars.
  NamedTensors state() const;
  /// Continues from such a state; options are not part of it. Throws FormatError, and changes
  /// nothing, for a state that does not fit.
  void set_state(const NamedTensors& state);

 private:
  PlateauOptions options_;
  BestMetric best_;
  double factor_ = 1.0;
  std::int64_t worse_ = 0;    // in a row, without those of a cooldown
  std::int64_t cooling_ = 0;  // metrics left of the cooldown
};

}  // namespace unroll::nn
