#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/access.hpp>
#include <autograd/tensor/dtype.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/loop.hpp>
#include <autograd/verify/gradcheck.hpp>
#include <autograd/verify/varied.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace unroll {
namespace {

using detail::Point;
using detail::Varied;

constexpr int kSamples = 6;

/// The point, or one near it, in numbers that float32 has too.
Point near_in_float32(const Point& point, int sample) {
  Generator generator(1985, static_cast<std::uint64_t>(sample));
  Point near;
  for (const Tensor& x : point) {
    Variable moved = x;
    if (sample > 0)
      moved = moved * (1.0 + 0x1p-8 * Variable(detail::random_direction(x, generator)));
    near.push_back(moved.value().to(Dtype::float32).contiguous());
  }
  return near;
}

/// Rounds what every operation gives to float32, as kernels without a fault would.
class Rounding final : public extension::TapeObserver {
 public:
  Tensor recorded(const char* /*operation*/, std::size_t /*node*/, std::uint32_t /*slot*/,
                  const Tensor& value) override {
    return rounded(value);
  }
  Tensor detached(const Tensor& value) override { return rounded(value); }

 private:
  static Tensor rounded(const Tensor& value) {
    return value.dtype() == Dtype::float64 ? value.to(Dtype::float32).to(Dtype::float64) : value;
  }
};

/// The result of f, then the gradients of its weighted sum, in the dtype of the point.
std::vector<Tensor> evaluated(const Varied& f, const Point& point, Rounding* rounding = nullptr) {
  Tape tape;
  if (rounding) extension::TapeAccess::observe(tape, rounding);
  std::vector<Variable> leaves;
  const Variable y = f(point, &leaves);
  std::vector<Tensor> all{y.value()};
  Generator generator(1754);
  const Tensor weights =
      detail::random_direction(zeros(y.shape(), Dtype::float32), generator).to(y.dtype());
  const Variable loss = sum(y * Variable(weights));
  Gradients gradients;
  // A backward pass that is recorded is rounded too.
  if (loss.recorded()) gradients = tape.gradients(loss, {.differentiable = rounding != nullptr});
  for (const Variable& leaf : leaves)
    all.push_back(loss.recorded() ? gradients[leaf].value() : zeros(leaf.shape(), leaf.dtype()));
  return all;
}

Point in_float64(const Point& point) {
  Point wide;
  for (const Tensor& x : point) wide.push_back(x.to(Dtype::float64));
  return wide;
}

/// What is compared of one tensor: per element, sums over the points.
struct Differences {
  Shape shape;
  std::vector<double> narrow, wide;  // at the point itself
  std::vector<double> off;           // float32 less float64
  std::vector<double> rounded;       // the square of: float64 with rounded results less float64
};

double largest_of(const std::vector<double>& values) {
  double largest = 0.0;
  for (double v : values)
    if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
  return largest;
}

double difference(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) ? 0.0 : a - b;
}

/// How far the mean difference of an element may be from 0: a few times what rounding the result of
/// every operation does, and a few units in the last place of what is largest.
double bound(const Differences& d, std::size_t i, double largest) {
  constexpr double kTimes = 8.0;
  constexpr double kUnits = 32.0;
  const double unit = static_cast<double>(std::numeric_limits<float>::epsilon());
  return kTimes * std::sqrt(d.rounded[i] / kSamples) + kUnits * unit * largest;
}

}  // namespace

GradcheckReport check_float32(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  for (const Tensor& input : inputs)
    if (!is_floating(input.dtype()))
      throw DtypeError("check_float32: an input is " + std::string(to_string(input.dtype())) +
                       "; inputs are float64 or float32");
  const Varied varied(f, inputs, options);
  std::vector<Differences> all(varied.size() + 1);
  for (int sample = 0; sample < kSamples; ++sample) {
    const Point point = near_in_float32(varied.point(), sample);
    const std::vector<Tensor> narrow = evaluated(varied, point);
    const std::vector<Tensor> wide = evaluated(varied, in_float64(point));
    Rounding rounding;
    const std::vector<Tensor> rounded = evaluated(varied, in_float64(point), &rounding);
    for (std::size_t k = 0; k < all.size(); ++k) {
      const std::vector<double> a = narrow[k].to_vector<double>();
      const std::vector<double> b = wide[k].to_vector<double>();
      if (narrow[k].shape() != wide[k].shape())
        throw ShapeError("check_float32: a result is " + describe(narrow[k]) + " in float32 and " +
                         describe(wide[k]) + " in float64");
      if (sample == 0) {
        all[k].shape = wide[k].shape();
        all[k].narrow = a;
        all[k].wide = b;
      }
      const std::vector<double> c = rounded[k].to_vector<double>();
      all[k].off.resize(a.size());
      all[k].rounded.resize(a.size());
      for (std::size_t i = 0; i < a.size(); ++i) {
        all[k].off[i] += difference(a[i], b[i]) / kSamples;
        // What overflows in float32 alone is to be said, though no kernel is at fault.
        if (const double lost = difference(c[i], b[i]); std::isfinite(lost))
          all[k].rounded[i] += lost * lost;
      }
    }
  }

  GradcheckReport report;
  const double of_result = largest_of(all[0].wide);
  for (std::size_t k = 0; k < all.size(); ++k) {
    double largest = largest_of(all[k].wide);
    // A gradient whose terms cancel is rounded as they are.
    if (k > 0)
      if (const double of_input = largest_of(varied.point()[k - 1].to_vector<double>());
          of_input > 0.0)
        largest = std::max(largest, of_result / of_input);
    for (std::size_t i = 0; i < all[k].wide.size(); ++i) {
      ++report.checked;
      const double off = std::abs(all[k].off[i]);
      const double allowed = bound(all[k], i, largest);
      report.worst = std::max(report.worst, off / std::max(1.0, largest));
      if (off <= allowed) continue;
      report.failures.push_back({k == 0 ? "result" : varied.name(k - 1),
                                 kernels::position_of(static_cast<Index>(i), all[k].shape),
                                 all[k].narrow[i], all[k].wide[i], allowed, Cause::float32_differs,
                                 0.0, 0.0});
    }
  }
  report.passed = report.failures.empty();
  if (!report.passed) {
    const GradcheckFailure& one = report.failures.front();
    std::string text = one.input == "result" ? "the result" : "the gradient of " + one.input;
    text += " at " + to_string(one.position);
    text += " is another in float32 than in float64, by more than rounding explains";
    report.findings.push_back({.cause = Cause::float32_differs, .text = text});
  }
  return report;
}

}  // namespace unroll
