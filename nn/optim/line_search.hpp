#pragma once

#include <functional>
#include <vector>

namespace unroll::nn {

/// A loss along a direction, at one step length.
struct LinePoint {
  double step = 0.0;
  double loss = 0.0;
  double slope = 0.0;            ///< d loss / d step
  std::vector<double> gradient;  ///< for the caller: of the loss with respect to all weights
};

/// A step length that meets the strong Wolfe conditions with c1 = 1e-4 and c2 = 0.9 (Nocedal and
/// Wright, 2006, Algorithms 3.5 and 3.6, with cubic interpolation, eq. 3.59, safeguarded as
/// PyTorch's is). `start` is the point at step 0, where the slope must be negative; `first` is the
/// first length tried. Gives up after 25 more, or when the bracket is shorter than `width`, and
/// returns the best point of the bracket, which may be `start`. A loss of NaN counts as too high.
LinePoint strong_wolfe(const std::function<LinePoint(double)>& at, const LinePoint& start,
                       double first, double width);

}  // namespace unroll::nn
