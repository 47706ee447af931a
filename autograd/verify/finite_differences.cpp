#include <autograd/verify/finite_differences.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>

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

std::vector<Slope> best_slopes(const Curve& f, double step, double precision) {
  std::vector<Slope> best = central_slopes(f, step, precision);
  for (double shorter : {step / 8.0, step / 64.0, step / 512.0}) {
    const std::vector<Slope> slopes = central_slopes(f, shorter, precision);
    for (std::size_t k = 0; k < best.size(); ++k)
      // A NaN, where the longer step left the domain, is the worst of all.
      if (!(best[k].error <= slopes[k].error)) best[k] = slopes[k];
  }
  return best;
}

std::vector<Sides> one_sided_slopes(const Curve& f, double step, double precision) {
  const std::vector<double> middle = f(0.0);
  const auto towards = [&](double h) {  // exact for a parabola
    const std::vector<double> near = f(h / 2.0);
    const std::vector<double> far = f(h);
    std::vector<double> slopes(middle.size());
    for (std::size_t k = 0; k < slopes.size(); ++k)
      slopes[k] = (4.0 * near[k] - far[k] - 3.0 * middle[k]) / h;
    return slopes;
  };
  const double longer = step / 64.0;
  const double shorter = step / 512.0;
  const std::vector<double> above_longer = towards(longer);
  const std::vector<double> below_longer = towards(-longer);
  const std::vector<double> above = towards(shorter);
  const std::vector<double> below = towards(-shorter);
  std::vector<Sides> sides(middle.size());
  for (std::size_t k = 0; k < sides.size(); ++k) {
    // Where the function is smooth, the difference falls to 1/64 of what it was.
    const double difference = std::abs(above[k] - below[k]);
    const double before = std::abs(above_longer[k] - below_longer[k]);
    const double noise = 80.0 * precision * std::max(1.0, std::abs(middle[k])) / shorter +
                         1e-5 * std::max(std::abs(above[k]), std::abs(below[k]));
    sides[k] = {below[k], above[k], difference > noise && difference > 0.25 * before};
  }
  return sides;
}

}  // namespace unroll::detail
