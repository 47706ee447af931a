#pragma once

#include <nn/training/curves.hpp>
#include <nn/training/run_log.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lm {

/// A curve of any number of values in bounded memory: its points are means over equally many
/// successive values, twice as many whenever there would be too many points.
class ThinnedCurve {
 public:
  void add(double x, double y);
  bool empty() const { return x_.empty() && pending_ == 0; }
  /// With the mean of the last values, even if they are fewer.
  unroll::nn::Curve curve(const std::string& label) const;
  /// Number of values in a point.
  std::int64_t values_per_point() const { return stride_; }

 private:
  std::vector<double> x_, y_;
  std::int64_t stride_ = 1;
  std::int64_t pending_ = 0;  // values since the last point
  double sum_x_ = 0, sum_y_ = 0;
};

/// What the log of a training run tells, in bounded memory but for the samples.
struct RunHistory {
  struct Validation {
    std::int64_t step = 0;
    double nats = 0;  ///< per symbol
  };
  struct Sample {
    std::int64_t step = 0;
    std::string text;
  };

  ThinnedCurve loss, learning_rate, gradient_norm, validation;
  std::optional<Validation> best;
  std::vector<Sample> samples;
  std::int64_t last_step = 0;

  void add(std::int64_t step, const unroll::nn::RunValues& values);
  /// Training loss and validation.
  std::vector<unroll::nn::Curve> losses() const;
};

/// Throws what read_run_log throws.
RunHistory read_history(const std::string& log);

}  // namespace lm
