#pragma once

#include <functional>
#include <vector>

/// Numeric derivatives that know how far they can be trusted.
namespace unroll::detail {

/// Numbers that depend on one: the results of a function along a line, t = 0 being the point of
/// interest.
using Curve = std::function<std::vector<double>(double)>;

struct Slope {
  double value = 0.0;
  double error = 0.0;  ///< estimated: truncation and rounding
};

/// The derivatives at 0, by central differences at two steps. Their Richardson combination cancels
/// the leading error term, and their difference tells how large it was. `precision`: relative
/// rounding error of the numbers. Four evaluations.
std::vector<Slope> central_slopes(const Curve& f, double step, double precision);

/// The same at shorter and shorter steps too, each number at the step where its estimated error is
/// least: right beside a kink, a step that does not reach over it. 16 evaluations.
std::vector<Slope> best_slopes(const Curve& f, double step, double precision);

struct Sides {
  double below = 0.0;
  double above = 0.0;
  bool differ = false;  ///< a kink or a jump: the difference does not vanish with the step
};

/// The slopes on either side of 0, at steps far shorter than `step`. Nine evaluations.
std::vector<Sides> one_sided_slopes(const Curve& f, double step, double precision);

}  // namespace unroll::detail
