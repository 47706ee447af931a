#include <autograd/verify/finite_differences.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace unroll::detail {

std::vector<Slope> central_slopes(const Curve& f, double step, double precision) {
  const std::vector<double> above = f(step);
  const std::vector<double> below = f(-step);
  const std::vector<double> near_above = f(step / 2.0);
  const std::vector<double> near_below = f(-step / 2.0);
  std::vector<Slope> slopes(above.size());
  for (std::size_t k = 0; k < slopes.size(); ++k) {
    const double wide = (above[k] - below[k]) / (2.0 * step);
    const double narrow = (near_above[k] - near_below[k]) / step;
    const double extrapolated = narrow + (narrow - wide) / 3.0;
    const double rounding =
        4.0 * precision * std::max(std::abs(above[k]), std::abs(below[k])) / step;
    slopes[k] = {extrapolated, 0.1 * std::abs(extrapolated - narrow) + rounding};
  }
  return slopes;
}

double whole_step(double step) { return std::exp2(std::floor(std::log2(step))); }

namespace {

/// Central differences of one number at steps that are halved each time.
class Ladder {
 public:
  void push_back(double above, double below, double step) {
    difference_.push_back((above - below) / (2.0 * step));
    step_.push_back(step);
    size_ = std::max({size_, std::abs(above), std::abs(below)});
  }

  /// The best of those seen so far: where the error is least beside the slope itself, or beside the
  /// smallest that counts.
  Slope best(double precision) const {
    constexpr double kSmallest = 1e-2;
    Slope best{difference_.back(), std::nan("")};
    double least = std::nan("");
    for (std::size_t j = 0; j + 3 < difference_.size(); ++j) {
      const Slope one{extrapolated(j), error_at(j, precision)};
      const double relative = one.error / std::max(std::abs(one.value), kSmallest);
      if (least <= relative || std::isnan(relative)) continue;
      best = one;
      least = relative;
    }
    return best;
  }
  /// Whether shorter steps only get worse.
  bool is_past_best(double precision) const {
    constexpr std::size_t kWorse = 4;
    if (difference_.size() < 2 * kWorse) return false;
    const Slope found = best(precision);
    if (!(found.error <= 1e-4 * std::abs(found.value) + precision * size_)) return false;
    for (std::size_t j = difference_.size() - 3 - kWorse; j + 3 < difference_.size(); ++j)
      if (!(error_at(j, precision) > 30.0 * found.error)) return false;
    return true;
  }

  /// A change within the shortest step that is no shorter than within others, and no noise.
  bool is_unresolved(double precision) const {
    double largest = 0.0;
    for (std::size_t j = 0; j < step_.size(); ++j)
      largest = std::max(largest, std::abs(difference_[j] * step_[j]));
    const double shortest = std::abs(difference_.back() * step_.back());
    return shortest > 1e3 * precision * size_ && shortest > largest / 64.0;
  }

 private:
  double extrapolated(std::size_t j) const {
    return difference_[j + 1] + (difference_[j + 1] - difference_[j]) / 3.0;
  }
  /// Truncation makes a step differ from the longer one before by 16 times its error, noise from
  /// the shorter ones behind by two and four times its error; two of them, as one may agree by
  /// chance.
  double error_at(std::size_t j, double precision) const {
    const double here = extrapolated(j);
    const double longer = j > 0 ? std::abs(here - extrapolated(j - 1)) / 4.0 : 0.0;
    const double shorter =
        std::max(std::abs(here - extrapolated(j + 1)), std::abs(here - extrapolated(j + 2)) / 2.0);
    return 2.0 * std::max(longer, shorter) + 4.0 * precision * size_ / step_[j];
  }

  std::vector<double> difference_, step_;
  double size_ = 0.0;
};

}  // namespace

std::vector<Slope> best_slopes(const Curve& f, double step, double precision) {
  constexpr int kMostHalvings = 36;
  // Below some sixty roundings of the argument, of about 1e3 steps, a step is no step.
  const int halvings =
      std::clamp(static_cast<int>(std::log2(1e-3 / (64.0 * precision))), 4, kMostHalvings);
  std::vector<Ladder> ladders;
  bool past = false;
  for (int j = 0; j <= halvings && !past; ++j, step /= 2.0) {
    const std::vector<double> above = f(step);
    const std::vector<double> below = f(-step);
    ladders.resize(above.size());
    past = true;
    for (std::size_t k = 0; k < ladders.size(); ++k) {
      ladders[k].push_back(above[k], below[k], step);
      past = past && ladders[k].is_past_best(precision);
    }
  }
  std::vector<Slope> best;
  for (const Ladder& ladder : ladders) {
    best.push_back(ladder.best(precision));
    if (!past && best.back().error > 1e-2 * std::abs(best.back().value) &&
        ladder.is_unresolved(precision))
      best.back().error = std::numeric_limits<double>::infinity();
  }
  return best;
}

std::vector<Sides> one_sided_slopes(const Curve& f, double step, double precision) {
  const std::vector<double> middle = f(0.0);
  struct Side {
    std::vector<double> near, far, slope;
  };
  const auto towards = [&](double h) {  // exact for a parabola
    Side side{f(h / 2.0), f(h), {}};
    for (std::size_t k = 0; k < middle.size(); ++k)
      side.slope.push_back((4.0 * side.near[k] - side.far[k] - 3.0 * middle[k]) / h);
    return side;
  };
  const double longer = step / 64.0;
  const double shorter = step / 512.0;
  const Side above_longer = towards(longer);
  const Side below_longer = towards(-longer);
  const Side above = towards(shorter);
  const Side below = towards(-shorter);
  std::vector<Sides> sides(middle.size());
  for (std::size_t k = 0; k < sides.size(); ++k) {
    // Where the function is smooth, the difference falls to 1/64 of what it was.
    const double difference = std::abs(above.slope[k] - below.slope[k]);
    const double before = std::abs(above_longer.slope[k] - below_longer.slope[k]);
    const double rounding = 80.0 * precision * std::max(1.0, std::abs(middle[k]));
    const double noise =
        rounding / shorter + 1e-5 * std::max(std::abs(above.slope[k]), std::abs(below.slope[k]));
    // Beyond a jump the values are alike, and another than at the point; which is no kink nearby
    // if the other side changes less.
    const auto jumps = [&](const Side& at_longer, const Side& at_shorter, const Side& other) {
      const double jump = std::abs(at_shorter.near[k] - middle[k]);
      const double change = std::abs(other.near[k] - middle[k]);
      if (jump < 10.0 * change) return false;
      const auto like = [&](double value) {
        return std::abs(value - at_shorter.near[k]) <= 0.1 * jump;
      };
      return jump > rounding && like(at_shorter.far[k]) && like(at_longer.near[k]) &&
             like(at_longer.far[k]);
    };
    sides[k] = {below.slope[k], above.slope[k], difference > noise && difference > 0.25 * before,
                jumps(above_longer, above, below) || jumps(below_longer, below, above)};
  }
  return sides;
}

}  // namespace unroll::detail
