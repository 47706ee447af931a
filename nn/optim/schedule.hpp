#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace unroll::nn {

/// A learning rate schedule: the factor of the base learning rate at a step, 0 for the first. What
/// a step is, an update or an epoch, is up to the caller. Before each update of an optimizer:
///
///     const nn::Schedule schedule =
///         nn::schedule::then(nn::schedule::linear_warmup(500), 500, nn::schedule::cosine(20'000));
///     optimizer.set_learning_rate(base * schedule(optimizer.steps()));
///     optimizer.step(tape.gradients(loss));
///
/// A schedule has no state. The number of steps is part of Optimizer::state, so a run that
/// continues from there continues the schedule. Copies are cheap.
class Schedule {
 public:
  /// Any function of the step. Throws ArgumentError for an empty one.
  explicit Schedule(std::function<double(std::int64_t)> factor);

  /// Throws ArgumentError for a negative step.
  double operator()(std::int64_t step) const;

 private:
  std::function<double(std::int64_t)> factor_;
};

/// The product of both factors at each step.
Schedule operator*(const Schedule& a, const Schedule& b);

// Each schedule keeps its last value beyond its end. All throw ArgumentError for a negative number
// of steps and for a factor that is negative or not finite.
namespace schedule {

/// The same factor at every step.
Schedule constant(double factor = 1.0);

/// Multiplies by `factor` every `every` steps: PyTorch's StepLR. `every` must be positive.
Schedule step(std::int64_t every, double factor);

/// Multiplies by `factor` at each of these steps: PyTorch's MultiStepLR. The steps must be in
/// order.
Schedule milestones(std::vector<std::int64_t> steps, double factor);

/// factor^step: PyTorch's ExponentialLR.
Schedule exponential(double factor);

/// Half a cosine from 1 down to `floor`, which it reaches at step `steps` (Loshchilov and Hutter,
/// 2017, eq. 5, without restarts): PyTorch's CosineAnnealingLR.
Schedule cosine(std::int64_t steps, double floor = 0.0);

/// A line from `start` to 1, which it reaches at step `steps`: PyTorch's LinearLR. A start of 0
/// makes step 0 an update that changes nothing.
Schedule linear_warmup(std::int64_t steps, double start = 0.0);

/// Options of one_cycle.
struct OneCycleOptions {
  std::int64_t steps = 0;        ///< of the whole cycle; at least 1
  double start_division = 25.0;  ///< the first factor is 1 / start_division
  double final_division = 1e4;   ///< the last factor is the first one / final_division
  double warmup_fraction = 0.3;  ///< of the steps, in [0, 1]
};

/// Up to 1 and down again along half cosines, as a factor of the maximum learning rate: PyTorch's
/// OneCycleLR (Smith and Topin, 2018). The maximum is at step warmup_fraction steps - 1, the end at
/// step steps - 1. Throws ArgumentError for an option out of its range.
Schedule one_cycle(const OneCycleOptions& options);

/// 1 for `flat` steps, then multiplied by `factor` for every `every` steps begun (Zaremba et al.,
/// 2014). Their small network counts epochs: `zaremba(4, 1, 0.5)`.
Schedule zaremba(std::int64_t flat, std::int64_t every, double factor);

/// `first` for `steps` steps, then `second`, which counts from 0.
Schedule then(Schedule first, std::int64_t steps, Schedule second);

}  // namespace schedule
}  // namespace unroll::nn
