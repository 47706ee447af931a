#include <autograd/error.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>
#include <autograd/verify/diagnosis.hpp>
#include <autograd/verify/operations.hpp>
#include <autograd/verify/varied.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace unroll {
namespace {

using detail::Point;
using detail::Slope;
using detail::Varied;

void check_dtypes(const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  const auto check = [&](const std::string& name, Dtype dtype) {
    if (dtype != Dtype::float64 && !(dtype == Dtype::float32 && options.allow_float32))
      throw DtypeError("gradcheck: " + name + " is " + std::string(to_string(dtype)) +
                       "; finite differences need float64, convert it with to(Dtype::float64)");
  };
  for (std::size_t i = 0; i < inputs.size(); ++i)
    check("input " + std::to_string(i), inputs[i].dtype());
  for (const Parameter& parameter : options.parameters) check(parameter.name(), parameter.dtype());
}

Shape position_of(Index flat, const Shape& shape) {
  Shape position(shape.rank(), 0);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    position[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  return position;
}

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

/// The comparison of one check.
class Comparison {
 public:
  Comparison(const Varied& f, const GradcheckOptions& options) : f_(f), options_(options) {
    const Point earlier = nearby(f.point());
    try {
      f.gradient(earlier);
    } catch (const Error&) {  // a domain that ends between the two points is no fault
    }
    report_.directions = options.directions;
    symptoms_.earlier = earlier;
    symptoms_.analytic = f.gradient(f.point());
  }

  void by_elements(std::size_t k) {
    const std::vector<double> values = f_.point()[k].to_vector<double>();
    const std::vector<double> analytic = symptoms_.analytic[k].to_vector<double>();
    for (Index flat = 0; flat < f_.point()[k].size(); ++flat) {
      const double x = values[static_cast<std::size_t>(flat)];
      const double a = analytic[static_cast<std::size_t>(flat)];
      const Slope n = compare(a, f_.along_element(k, flat), std::max(1.0, std::abs(x)));
      if (agree(a, n)) continue;
      failures_.push_back({f_.name(k), position_of(flat, f_.point()[k].shape()), a, n.value,
                           n.error, Cause::wrong_derivative, 0.0, 0.0});
      symptoms_.which.push_back(k);
      symptoms_.element.push_back(flat);
    }
  }

  void by_directions(std::size_t k) {
    Generator generator(1847);
    const std::vector<double> values = f_.point()[k].to_vector<double>();
    double size = 1.0;
    for (double x : values) size = std::max(size, std::abs(x));
    for (int round = 0; round < options_.directions; ++round) {
      const Tensor direction = detail::random_direction(f_.point()[k], generator);
      const double a = detail::inner_product(symptoms_.analytic[k], direction);
      if (agree(a, compare(a, f_.along(k, direction), size))) continue;
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
    const Variable u = tape.watch(detail::random_direction(y.value(), generator));
    const Gradients first = tape.gradients(y, {.seed = u, .differentiable = true});
    Variable total;  // linear in u: its slope along u is the value itself
    for (const Variable& leaf : leaves) {
      const Variable v = detail::random_direction(leaf.value(), generator);
      const Variable part = sum(first[leaf] * v);
      total = total.defined() ? total + part : part;
    }
    if (!total.defined()) return;
    const double vjp = total.item();
    const double jvp =
        total.recorded() ? detail::inner_product(tape.gradients(total)[u].value(), u.value()) : 0.0;
    const double precision = f_.precision() * 1e6;
    if (std::abs(jvp - vjp) <= precision * std::max(1.0, std::abs(vjp))) return;
    report_.failures.push_back({"jvp", {}, jvp, vjp, 0.0, Cause::not_differentiable, 0.0, 0.0});
    undifferentiable_ = true;
  }

  GradcheckReport finish() {
    if (!failures_.empty()) {
      try {
        report_.findings = detail::diagnose(f_, options_, symptoms_, failures_);
      } catch (const Error& error) {  // an operation that refuses the values it is tried with
        report_.findings.push_back(
            {.cause = Cause::wrong_derivative,
             .text = std::string("the search for the cause was stopped by ") + error.what()});
      }
    }
    if (undifferentiable_) {
      auto found = detail::find_undifferentiable_operation(detail::Replay(f_, f_.point()));
      if (found.empty())
        found.push_back({.cause = Cause::not_differentiable,
                         .text = "jvp and vjp disagree: the gradient of the function cannot be "
                                 "differentiated again"});
      report_.findings.insert(report_.findings.end(), found.begin(), found.end());
    }
    std::stable_sort(failures_.begin(), failures_.end(), [](const auto& a, const auto& b) {
      return std::abs(a.analytic - a.numeric) > std::abs(b.analytic - b.numeric);
    });
    report_.failures.insert(report_.failures.begin(), failures_.begin(), failures_.end());
    report_.passed = report_.failures.empty();
    return std::move(report_);
  }

 private:
  bool agree(double a, const Slope& n) const {
    const double size = std::max(std::abs(a), std::abs(n.value));
    // Written so that a NaN on either side disagrees.
    return std::abs(a - n.value) <=
           options_.tolerances.relative * size + options_.tolerances.absolute + n.error;
  }

  /// The numeric slope, with shorter steps where the first one disagrees.
  Slope compare(double a, const detail::Curve& curve, double size) {
    const double step = options_.step * size;
    Slope n = detail::central_slopes(curve, step, f_.precision())[0];
    if (!agree(a, n)) n = detail::best_slopes(curve, step, f_.precision())[0];
    const double distance = std::abs(a - n.value) / std::max({1.0, std::abs(a), std::abs(n.value)});
    report_.worst = std::max(report_.worst, distance);
    ++report_.checked;
    return n;
  }

  const Varied& f_;
  const GradcheckOptions& options_;
  detail::Symptoms symptoms_;
  std::vector<GradcheckFailure> failures_;
  bool undifferentiable_ = false;
  GradcheckReport report_;
};

/// x -> the gradients of the weighted sum of f(x), by inputs and parameters, as one row. On the
/// tape that is alive the sweep is recorded; where none is, as in finite differences, a tape of its
/// own takes a plain sweep. So the two kinds of sweep are compared as well.
DifferentiableFunction gradient_of(const DifferentiableFunction& f,
                                   const std::vector<Parameter>& parameters) {
  return [f, parameters](std::span<const Variable> inputs) -> Variable {
    const auto row_of = [&](Tape& tape, std::span<const Variable> leaves, bool differentiable) {
      const Variable loss = detail::weighted_sum(f(leaves));
      Gradients gradients;
      if (loss.recorded()) gradients = tape.gradients(loss, {.differentiable = differentiable});
      std::vector<Variable> parts;
      for (const Variable& leaf : leaves)
        parts.push_back(loss.recorded() ? reshape(gradients[leaf], {-1})
                                        : Variable(zeros({leaf.value().size()}, leaf.dtype())));
      for (const Parameter& parameter : parameters)
        parts.push_back(reshape(gradients[parameter], {-1}));
      return concat(parts, 0);
    };
    if (Tape* tape = Tape::active()) return row_of(*tape, inputs, true);
    Tape tape;
    std::vector<Variable> leaves;
    for (const Variable& input : inputs) leaves.push_back(tape.watch(input.value()));
    return row_of(tape, leaves, false).value();
  };
}

}  // namespace

GradcheckReport gradcheck(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  check_dtypes(inputs, options);
  const Varied varied(f, inputs, options.parameters);
  Comparison comparison(varied, options);
  for (std::size_t k = 0; k < varied.size(); ++k)
    if (options.directions > 0)
      comparison.by_directions(k);
    else
      comparison.by_elements(k);
  if (options.jvp) comparison.jvp_against_vjp();
  return comparison.finish();
}

GradcheckReport gradgradcheck(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  check_dtypes(inputs, options);
  const Varied varied(f, inputs, options.parameters);
  GradcheckOptions second = options;
  second.jvp = false;  // of f, below, not of its gradient
  GradcheckReport report = gradcheck(gradient_of(f, options.parameters), inputs, second);
  Comparison comparison(varied, options);
  comparison.jvp_against_vjp();
  GradcheckReport first = comparison.finish();
  // The reason why a rule is not differentiable says more than how its derivative is off.
  report.findings.insert(report.findings.begin(), first.findings.begin(), first.findings.end());
  report.failures.insert(report.failures.end(), first.failures.begin(), first.failures.end());
  report.passed = report.passed && first.passed;
  return report;
}

}  // namespace unroll
