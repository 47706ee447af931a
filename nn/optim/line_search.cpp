#include <nn/optim/line_search.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace unroll::nn {
namespace {

constexpr double kDecrease = 1e-4;  // c1
constexpr double kCurvature = 0.9;  // c2
constexpr int kTrials = 25;

/// The minimiser of the cubic through both points, kept within [low, high]; the middle where there
/// is none, or where a value is NaN.
double cubic_minimiser(const LinePoint& a, const LinePoint& b, double low, double high) {
  const LinePoint& left = a.step <= b.step ? a : b;
  const LinePoint& right = a.step <= b.step ? b : a;
  const double length = right.step - left.step;
  const double d1 = left.slope + right.slope + 3.0 * (left.loss - right.loss) / length;
  const double square = d1 * d1 - left.slope * right.slope;
  const double middle = (low + high) / 2.0;
  if (!(square >= 0.0)) return middle;
  const double d2 = std::sqrt(square);
  const double at =
      right.step - length * (right.slope + d2 - d1) / (right.slope - left.slope + 2.0 * d2);
  return std::isnan(at) ? middle : std::clamp(at, low, high);
}

/// Keeps interpolation from creeping towards an end of the bracket: the second trial in a row that
/// is near an end is moved a tenth of the bracket away from it.
class Safeguard {
 public:
  double operator()(double step, double low, double high) {
    const double margin = 0.1 * (high - low);
    const bool near_an_end = std::min(high - step, step - low) < margin;
    const bool move = near_an_end && (was_near_ || step >= high || step <= low);
    was_near_ = near_an_end && !move;
    if (!move) return step;
    return high - step < step - low ? high - margin : low + margin;
  }

 private:
  bool was_near_ = false;
};

}  // namespace

LinePoint strong_wolfe(const std::function<LinePoint(double)>& at, const LinePoint& start,
                       double first, double width) {
  const auto too_high = [&](const LinePoint& point) {
    return !(point.loss <= start.loss + kDecrease * point.step * start.slope);
  };
  const auto is_flat = [&](const LinePoint& point) {
    return std::abs(point.slope) <= -kCurvature * start.slope;
  };

  // Algorithm 3.5: longer steps, until two of them enclose a good one.
  LinePoint low = start;
  LinePoint high = at(first);
  int trials = 0;
  for (; trials < kTrials; ++trials) {
    if (too_high(high) || (trials > 0 && high.loss >= low.loss)) break;
    if (is_flat(high)) return high;
    if (high.slope >= 0.0) break;
    const double next =
        cubic_minimiser(low, high, high.step + 0.01 * (high.step - low.step), 10.0 * high.step);
    low = std::exchange(high, at(next));
  }
  if (trials == kTrials) low = start;
  if (high.loss < low.loss) std::swap(low, high);

  // Algorithm 3.6: a shorter bracket, whose end `low` has the lower loss.
  Safeguard safeguard;
  for (; trials < kTrials && std::abs(high.step - low.step) >= width; ++trials) {
    const auto [left, right] = std::minmax(low.step, high.step);
    LinePoint next = at(safeguard(cubic_minimiser(low, high, left, right), left, right));
    if (too_high(next) || next.loss >= low.loss) {
      high = std::move(next);
      if (high.loss < low.loss) std::swap(low, high);
      continue;
    }
    if (is_flat(next)) return next;
    if (next.slope * (high.step - low.step) >= 0.0) high = std::move(low);
    low = std::move(next);
  }
  return low;
}

}  // namespace unroll::nn
