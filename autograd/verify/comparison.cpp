#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/loop.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/verify/cancelled_terms.hpp>
#include <autograd/verify/captures.hpp>
#include <autograd/verify/comparison.hpp>
#include <autograd/verify/diagnosis.hpp>
#include <autograd/verify/operations.hpp>
#include <autograd/verify/progress.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace unroll::detail {
namespace {

/// A point near this one, in no direction across zero: where f is called before it is checked.
Point nearby(const Point& point) {
  Generator generator(1962);
  Point near;
  for (const Tensor& x : point) {
    Tensor other = x.clone();
    dispatch_floating(x.dtype(), [&]<class T>(T) {
      for (Index i = 0; i < other.size(); ++i)
        other.in_place<T>()[i] *= static_cast<T>(1.0 + 0.02 * (generator.uniform() - 0.5));
    });
    near.push_back(other);
  }
  return near;
}

double element(const Tensor& x, Index flat) {
  return dispatch_floating(x.dtype(),
                           [&]<class T>(T) { return static_cast<double>(x.data<T>()[flat]); });
}

/// The point as its numbers might have been rounded otherwise.
Point shaken(const Point& point) {
  Generator generator(1957);
  Point near;
  for (const Tensor& x : point) {
    const double size = 4.0 * precision_of(x.dtype());
    const Variable by = size * Variable(random_direction(x, generator));
    near.push_back((Variable(x) * (1.0 + by)).value().contiguous());
  }
  return near;
}

/// The comparison of one check.
class Comparison {
 public:
  Comparison(const Varied& f, const GradcheckOptions& options)
      : f_(f),
        options_(options),
        progress_(derivatives(f, options), options.directions, static_cast<Index>(f.size()),
                  options.progress) {
    report_.findings = find_dangling_captures(f);
    if (!report_.findings.empty()) {  // nothing that follows would be defined
      vjp_failed_ = true;
      return;
    }
    const Point earlier = nearby(f.point());
    try {
      f.gradients(earlier, {});
    } catch (const Error&) {  // a domain that ends between the two points is no fault
    }
    report_.directions = options.directions;
    symptoms_.earlier = earlier;
    const Tensor result = f(f.point()).value();
    symptoms_.sums = WeightedSums(result, cancelled_terms(f, result));
    try {
      symptoms_.analytic = f.gradients(f.point(), symptoms_.sums);
    } catch (const VjpError& error) {
      vjp_failed_ = true;
      report_.findings.push_back({Cause::vjp_failed,
                                  error.operation(),
                                  error.node(),
                                  {},
                                  1.0,
                                  "the vjp of " + error.operation() + " (operation " +
                                      std::to_string(error.node()) + ") threw: " + error.what()});
    }
  }

  /// False when a vjp has failed: then there is nothing to compare.
  bool has_gradients() const { return !vjp_failed_; }

  void by_elements(std::size_t k) {
    const std::vector<double> values = f_.point()[k].to_vector<double>();
    for (Index flat = 0; flat < f_.point()[k].size(); ++flat) {
      const double x = values[static_cast<std::size_t>(flat)];
      std::vector<double> analytic;
      for (const std::vector<Tensor>& of_sum : symptoms_.analytic)
        analytic.push_back(element(of_sum[k], flat));
      const auto noise = [&](std::size_t sum) {
        return std::abs(element(shaken_gradients()[sum][k], flat) - analytic[sum]);
      };
      const Verdict found = compare(analytic, f_.along_element(k, flat, symptoms_.sums),
                                    std::max(1.0, std::abs(x)), noise);
      if (found.judgement == Judgement::right) continue;
      GradcheckFailure failure{f_.name(k),
                               kernels::position_of(flat, f_.point()[k].shape()),
                               found.analytic,
                               found.numeric.value,
                               found.numeric.error,
                               Cause::wrong_derivative,
                               0.0,
                               0.0};
      if (found.judgement == Judgement::none && !has_no_derivative(k, flat, found)) {
        failure.cause = std::isinf(found.numeric.error) ? Cause::step_too_long : Cause::rounding;
        report_.not_judged.push_back(failure);
        continue;
      }
      failures_.push_back(failure);
      symptoms_.which.push_back(k);
      symptoms_.element.push_back(flat);
      symptoms_.sum.push_back(found.sum);
    }
  }

  void by_directions(std::size_t k) {
    Generator generator(1847);
    const std::vector<double> values = f_.point()[k].to_vector<double>();
    double size = 1.0;
    for (double x : values) size = std::max(size, std::abs(x));
    for (int round = 0; round < options_.directions; ++round) {
      const Tensor direction = random_direction(f_.point()[k], generator);
      std::vector<double> analytic;
      for (const std::vector<Tensor>& of_sum : symptoms_.analytic)
        analytic.push_back(inner_product(of_sum[k], direction));
      const auto noise = [&](std::size_t sum) {
        return std::abs(inner_product(shaken_gradients()[sum][k], direction) - analytic[sum]);
      };
      const Verdict found = compare(analytic, f_.along(k, direction, symptoms_.sums), size, noise);
      if (found.judgement == Judgement::right) continue;
      const Index directions = report_.checked;
      by_elements(k);
      report_.checked = directions;
      return;
    }
  }

  /// <u, J v> from jvp, and <u^T J, v> from vjp.
  void jvp_against_vjp() {
    Tape tape;
    std::vector<Variable> leaves;
    const Variable y = f_(f_.point(), &leaves);
    if (!y.recorded()) return;
    Generator generator(1847);
    const Variable u = tape.watch(random_direction(y.value(), generator));
    const Gradients first = tape.gradients(y, {.seed = u, .differentiable = true});
    Variable total;  // linear in u: its slope along u is the value itself
    for (const Variable& leaf : leaves) {
      const Variable v = random_direction(leaf.value(), generator);
      const Variable part = sum(first[leaf] * v);
      total = total.defined() ? total + part : part;
    }
    if (!total.defined()) return;
    const double vjp = total.item();
    const double jvp =
        total.recorded() ? inner_product(tape.gradients(total)[u].value(), u.value()) : 0.0;
    const double precision = f_.precision() * 1e6;
    if (std::abs(jvp - vjp) <= precision * std::max(1.0, std::abs(vjp))) return;
    report_.failures.push_back({"jvp", {}, jvp, vjp, 0.0, Cause::not_differentiable, 0.0, 0.0});
    undifferentiable_ = true;
  }

  GradcheckReport finish() {
    if (!failures_.empty()) {
      try {
        report_.findings = diagnose(f_, options_, symptoms_, failures_);
      } catch (const Error& error) {  // an operation that refuses the values it is tried with
        report_.findings.push_back(
            {.cause = Cause::wrong_derivative,
             .text = std::string("the search for the cause was stopped by ") + error.what()});
      }
    }
    if (undifferentiable_) {
      auto found = find_undifferentiable_operation(Replay(f_, f_.point()));
      if (found.empty())
        found.push_back({.cause = Cause::not_differentiable,
                         .text = "jvp and vjp disagree: the gradient of the function cannot be "
                                 "differentiated again"});
      report_.findings.insert(report_.findings.end(), found.begin(), found.end());
    }
    if (!vjp_failed_ && failures_.empty() && is_impure())
      report_.findings.push_back(
          {.cause = Cause::impure_vjp,
           .text = "a second backward pass over the same tape gives another gradient: a vjp uses "
                   "up or changes what it has captured"});
    if (!report_.not_judged.empty()) report_.findings.push_back(not_judged());
    std::stable_sort(failures_.begin(), failures_.end(), [](const auto& a, const auto& b) {
      return std::abs(a.analytic - a.numeric) > std::abs(b.analytic - b.numeric);
    });
    report_.failures.insert(report_.failures.begin(), failures_.begin(), failures_.end());
    report_.passed = report_.failures.empty() && !vjp_failed_ && !impure_ &&
                     (report_.not_judged.empty() || options_.allow_not_judged);
    return std::move(report_);
  }

 private:
  enum class Judgement { right, wrong, none };
  /// Of the sum of results for which it is worst.
  struct Verdict {
    Judgement judgement = Judgement::right;
    std::size_t sum = 0;
    double analytic = 0.0;
    Slope numeric;
  };

  /// Whether f jumps where no step is short enough, or does not repeat.
  bool has_no_derivative(std::size_t k, Index flat, const Verdict& found) {
    if (!std::isinf(found.numeric.error)) return false;
    if (!repeats_) repeats_ = same(f_(f_.point()).value(), f_(f_.point()).value());
    const double x = element(f_.point()[k], flat);
    return !*repeats_ || one_sided_slopes(f_.along_element(k, flat, symptoms_.sums),
                                          whole_step(options_.step * std::max(1.0, std::abs(x))),
                                          f_.precision())[found.sum]
                             .jump;
  }

  /// Whether a second run of the vjps gives another gradient; it does if f does not repeat.
  bool is_impure() {
    if (repeats_ == false) return false;
    try {
      const auto second = f_.gradients(f_.point(), symptoms_.sums, /*runs=*/2);
      for (std::size_t sum = 0; sum < second.size(); ++sum)
        for (std::size_t k = 0; k < second[sum].size(); ++k)
          impure_ = impure_ || !same(second[sum][k], symptoms_.analytic[sum][k]);
    } catch (const VjpError&) {  // what it needs is gone
      impure_ = true;
    }
    return impure_;
  }

  GradcheckFinding not_judged() const {
    const GradcheckFailure& one = report_.not_judged.front();
    const bool too_long = one.cause == Cause::step_too_long;
    return {.cause = one.cause,
            .text = std::to_string(report_.not_judged.size()) +
                    " elements cannot be judged by differences, " + one.input + ' ' +
                    to_string(one.position) + " first: " +
                    (too_long ? "the function turns within the shortest step"
                              : "the results are rounded too much for these tolerances") +
                    "; choose inputs of another size, check a part of the function, or pass on "
                    "them with allow_not_judged"};
  }

  Judgement judge(double a, const Slope& n) const {
    constexpr double kMostUncertain = 100.0;  // times the tolerance
    const double tolerance = options_.tolerances.bound(a, n.value);
    const double distance = std::abs(a - n.value);
    // Written so that a NaN on either side is wrong.
    if (distance <= tolerance) return Judgement::right;
    if (!std::isfinite(a) || !(distance <= tolerance + n.error)) return Judgement::wrong;
    return n.error <= kMostUncertain * tolerance ? Judgement::right : Judgement::none;
  }

  /// The gradients where the inputs were rounded otherwise: they cannot be trusted beyond the
  /// difference.
  const std::vector<std::vector<Tensor>>& shaken_gradients() {
    if (shaken_.empty()) {
      try {
        shaken_ = f_.gradients(shaken(f_.point()), symptoms_.sums);
      } catch (const Error&) {  // at the very end of a domain
        shaken_ = symptoms_.analytic;
      }
    }
    return shaken_;
  }

  static Index derivatives(const Varied& f, const GradcheckOptions& options) {
    if (options.directions > 0) return options.directions * static_cast<Index>(f.size());
    Index elements = 0;
    for (const Tensor& x : f.point()) elements += x.size();
    return elements;
  }

  /// Against the numeric slopes, with shorter steps where the first one disagrees. `noise`: how far
  /// the analytic ones can be trusted.
  Verdict compare(const std::vector<double>& analytic, const Curve& curve, double size,
                  const std::function<double(std::size_t)>& noise) {
    const double step = whole_step(options_.step * size);
    std::vector<Slope> slopes = central_slopes(curve, step, f_.precision());
    const auto close = [&](std::size_t sum) {
      return judge(analytic[sum], {slopes[sum].value, 0.0}) == Judgement::right;
    };
    bool all = true;
    for (std::size_t sum = 0; sum < analytic.size(); ++sum) all = all && close(sum);
    if (!all) {
      constexpr double kSeldomExceeded = 8.0;  // as one other rounding is tried of many
      slopes = best_slopes(curve, step, f_.precision());
      for (std::size_t sum = 0; sum < analytic.size(); ++sum)
        if (const double more = noise(sum); std::isfinite(more))
          slopes[sum].error += kSeldomExceeded * more;
    }
    Verdict worst;
    for (std::size_t sum = 0; sum < analytic.size(); ++sum) {
      const double a = analytic[sum];
      const Slope& n = slopes[sum];
      const Judgement judgement = judge(a, n);
      if (judgement != Judgement::none)
        report_.worst = std::max(
            report_.worst, std::abs(a - n.value) / std::max({1.0, std::abs(a), std::abs(n.value)}));
      if (judgement == Judgement::right || worst.judgement == Judgement::wrong) continue;
      worst = {judgement, sum, a, n};
    }
    ++report_.checked;
    progress_.step();
    return worst;
  }

  const Varied& f_;
  const GradcheckOptions& options_;
  Progress progress_;
  Symptoms symptoms_;
  std::vector<GradcheckFailure> failures_;
  std::vector<std::vector<Tensor>> shaken_;
  std::optional<bool> repeats_;
  bool undifferentiable_ = false, vjp_failed_ = false, impure_ = false;
  GradcheckReport report_;
};

}  // namespace

GradcheckReport compare_gradients(const Varied& f, const GradcheckOptions& options) {
  Comparison comparison(f, options);
  for (std::size_t k = 0; comparison.has_gradients() && k < f.size(); ++k)
    if (options.directions > 0)
      comparison.by_directions(k);
    else
      comparison.by_elements(k);
  if (options.jvp && comparison.has_gradients()) comparison.jvp_against_vjp();
  return comparison.finish();
}

GradcheckReport compare_jvp(const Varied& f, const GradcheckOptions& options) {
  Comparison comparison(f, options);
  if (comparison.has_gradients()) comparison.jvp_against_vjp();
  return comparison.finish();
}

}  // namespace unroll::detail
