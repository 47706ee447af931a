#pragma once

#include <nn/saved_state.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace unroll::nn {

/// Whether a smaller or a larger metric is better.
enum class Goal { minimise, maximise };

/// The best metric of a run so far: what Plateau and EarlyStopping share.
class BestMetric {
 public:
  /// A metric is better when it beats the best by more than `absolute + relative |best|`.
  /// Both must be finite and not negative; the caller checks that.
  BestMetric(Goal goal, double absolute, double relative)
      : goal_(goal), absolute_(absolute), relative_(relative) {}

  /// True when the metric is better than all before; the first one is. A NaN is never better.
  bool observe(double metric);

  /// NaN until there is one.
  double value() const { return value_; }
  /// Number of metrics observed since the best one.
  std::int64_t since() const { return since_; }

  /// Entries `best` and `since_best`.
  void append_to(NamedTensors& state) const;
  /// Takes those entries, once saved.finish() has returned.
  static BestMetric read(saved_state::Reader& saved, BestMetric like);

 private:
  Goal goal_;
  double absolute_;
  double relative_;
  double value_ = std::numeric_limits<double>::quiet_NaN();
  std::int64_t since_ = 0;
};

}  // namespace unroll::nn
