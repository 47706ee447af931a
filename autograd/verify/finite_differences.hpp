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
  double error =
      0.0;  ///< estimated: truncation and rounding; infinite when no step is short enough
};

/// The power of two at or below a step: added to a number of about its size, it is not rounded.
double whole_step(double step);

/// The derivatives at 0, by central differences at two steps. Their Richardson combination cancels
/// the leading error term, and their difference tells how large it was. `precision`: relative
/// rounding error of the numbers. Four evaluations.
std::vector<Slope> central_slopes(const Curve& f, double step, double precision);

/// The same at shorter and shorter steps, halved each time, each number at the step where it
/// differs least from those of its neighbours (after Ridders, 1982): not so long that the function
/// turns within it, nor so short that only the noise of its rounding is left, however much there
/// is. Right beside a kink, a step that does not reach over it. Where the function still changes as
/// much within the shortest step as within the longest, the error is infinite. Some 50 evaluations,
/// at most 74.
std::vector<Slope> best_slopes(const Curve& f, double step, double precision);

struct Sides {
  double below = 0.0;
  double above = 0.0;
  bool differ = false;  ///< a kink or a jump: the difference does not vanish with the step
  bool jump = false;    ///< the values on one side are not near that at the point
};

/// The slopes on either side of 0, at steps far shorter than `step`. Nine evaluations.
std::vector<Sides> one_sided_slopes(const Curve& f, double step, double precision);

}  // namespace unroll::detail
