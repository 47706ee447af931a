#include <autograd/tensor/error.hpp>
#include <nn/optim/schedule.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

void require(bool holds, const std::string& message) {
  if (!holds) throw ArgumentError("schedule::" + message);
}

void check_factor(const std::string& where, double factor) {
  require(factor >= 0.0 && std::isfinite(factor),
          where + " must be a finite number that is not negative, it is " + std::to_string(factor));
}

void check_steps(const std::string& where, std::int64_t steps, std::int64_t least) {
  require(steps >= least, where + " must be at least " + std::to_string(least) + ", it is " +
                              std::to_string(steps));
}

/// Half a cosine from `begin` at 0 to `end` at 1.
double half_cosine(double begin, double end, double at) {
  return end + (begin - end) * (1.0 + std::cos(std::numbers::pi * at)) / 2.0;
}

/// step / steps, at most 1.
double progress(std::int64_t step, std::int64_t steps) {
  return step < steps ? static_cast<double>(step) / static_cast<double>(steps) : 1.0;
}

}  // namespace

Schedule::Schedule(std::function<double(std::int64_t)> factor) : factor_(std::move(factor)) {
  if (!factor_) throw ArgumentError("Schedule: the function is empty; give a function of the step");
}

double Schedule::operator()(std::int64_t step) const {
  if (step < 0)
    throw ArgumentError("Schedule: the step must not be negative, it is " + std::to_string(step));
  return factor_(step);
}

Schedule operator*(const Schedule& a, const Schedule& b) {
  return Schedule([a, b](std::int64_t step) { return a(step) * b(step); });
}

namespace schedule {

Schedule constant(double factor) {
  check_factor("constant: the factor", factor);
  return Schedule([factor](std::int64_t) { return factor; });
}

Schedule step(std::int64_t every, double factor) {
  check_steps("step: every", every, 1);
  check_factor("step: the factor", factor);
  return Schedule([every, factor](std::int64_t at) {
    const std::int64_t times = at / every;
    return std::pow(factor, static_cast<double>(times));
  });
}

Schedule milestones(std::vector<std::int64_t> steps, double factor) {
  check_factor("milestones: the factor", factor);
  require(std::is_sorted(steps.begin(), steps.end()), "milestones: the steps must be in order");
  if (!steps.empty()) check_steps("milestones: the first step", steps.front(), 0);
  return Schedule([steps = std::move(steps), factor](std::int64_t at) {
    const auto reached = std::upper_bound(steps.begin(), steps.end(), at) - steps.begin();
    return std::pow(factor, static_cast<double>(reached));
  });
}

Schedule exponential(double factor) {
  check_factor("exponential: the factor", factor);
  return Schedule([factor](std::int64_t at) { return std::pow(factor, static_cast<double>(at)); });
}

Schedule cosine(std::int64_t steps, double floor) {
  check_steps("cosine: the number of steps", steps, 0);
  check_factor("cosine: the floor", floor);
  return Schedule([steps, floor](std::int64_t at) {
    return at < steps ? half_cosine(1.0, floor, progress(at, steps)) : floor;
  });
}

Schedule linear_warmup(std::int64_t steps, double start) {
  check_steps("linear_warmup: the number of steps", steps, 0);
  check_factor("linear_warmup: the start", start);
  return Schedule(
      [steps, start](std::int64_t at) { return start + (1.0 - start) * progress(at, steps); });
}

Schedule one_cycle(const OneCycleOptions& options) {
  check_steps("one_cycle: the number of steps", options.steps, 1);
  check_factor("one_cycle: the final division", options.final_division);
  require(options.start_division > 0.0 && options.final_division > 0.0,
          "one_cycle: both divisions must be positive");
  require(options.warmup_fraction >= 0.0 && options.warmup_fraction <= 1.0,
          "one_cycle: the fraction of the warm-up must lie in [0, 1], it is " +
              std::to_string(options.warmup_fraction));
  const auto end = static_cast<double>(options.steps - 1);
  const double top = options.warmup_fraction * static_cast<double>(options.steps) - 1.0;
  const double first = 1.0 / options.start_division;
  const double last = first / options.final_division;
  return Schedule([=](std::int64_t step) {
    const double at = std::min(static_cast<double>(step), end);
    if (at < top) return half_cosine(first, 1.0, at / top);
    return at > top ? half_cosine(1.0, last, (at - top) / (end - top)) : 1.0;
  });
}

Schedule zaremba(std::int64_t flat, std::int64_t every, double factor) {
  check_steps("zaremba: the number of flat steps", flat, 0);
  check_steps("zaremba: every", every, 1);
  check_factor("zaremba: the factor", factor);
  return then(constant(), flat, constant(factor) * step(every, factor));
}

Schedule then(Schedule first, std::int64_t steps, Schedule second) {
  check_steps("then: the number of steps", steps, 0);
  return Schedule([first = std::move(first), steps, second = std::move(second)](std::int64_t step) {
    return step < steps ? first(step) : second(step - steps);
  });
}

}  // namespace schedule
}  // namespace unroll::nn
