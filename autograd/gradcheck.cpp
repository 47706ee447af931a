#include <autograd/error.hpp>
#include <autograd/gradcheck.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/random.hpp>
#include <autograd/tape.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace unroll {
namespace {

/// Unequal weights turn any result into a scalar without letting errors cancel.
Variable weighted(const Variable& y) {
  Generator generator(1990);
  return sum(y * Variable(uniform(y.shape(), 0.5, 1.5, y.dtype(), generator)));
}

/// What is varied: one input or one parameter, and how to evaluate with another value in its place.
struct Subject {
  std::string name;
  Tensor value;
  Tensor analytic;
  std::function<double(const Tensor&)> evaluate;
};

Tensor with_element(const Tensor& x, Index flat, double value) {
  Tensor changed = x.clone();
  dispatch_floating(x.dtype(),
                    [&]<class T>(T) { changed.mutable_data<T>()[flat] = static_cast<T>(value); });
  return changed;
}

Shape position_of(Index flat, const Shape& shape) {
  Shape position(shape.rank(), 0);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    position[axis] = flat % shape[axis];
    flat /= shape[axis];
  }
  return position;
}

/// Gives a parameter another value for a while, also when f throws meanwhile.
class Replaced {
 public:
  Replaced(Parameter& parameter, const Tensor& value)
      : parameter_(parameter), original_(parameter.value()) {
    parameter_.set(value);
  }
  ~Replaced() { parameter_.set(original_); }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  Parameter& parameter_;
  Tensor original_;
};

struct Numeric {
  double derivative;
  double error;
};

/// Central differences at two step sizes; the combination cancels the error's leading term, and
/// their difference tells how large it was.
Numeric differentiate(const Subject& subject, Index flat, double x, double step) {
  const auto central = [&](double h) {
    const double above = subject.evaluate(with_element(subject.value, flat, x + h));
    const double below = subject.evaluate(with_element(subject.value, flat, x - h));
    return (above - below) / (2.0 * h);
  };
  const double wide = central(step);
  const double narrow = central(step / 2.0);
  const double extrapolated = narrow + (narrow - wide) / 3.0;
  return {extrapolated, std::abs(extrapolated - narrow) * 0.1};
}

void compare(const Subject& subject, const GradcheckOptions& options, GradcheckReport& report) {
  const std::vector<double> values = subject.value.to_vector<double>();
  const std::vector<double> analytic = subject.analytic.to_vector<double>();
  for (Index flat = 0; flat < subject.value.size(); ++flat) {
    const double x = values[static_cast<std::size_t>(flat)];
    const double a = analytic[static_cast<std::size_t>(flat)];
    const Numeric n = differentiate(subject, flat, x, options.step * std::max(1.0, std::abs(x)));
    const double distance = std::abs(a - n.derivative);
    const double size = std::max(std::abs(a), std::abs(n.derivative));
    report.worst = std::max(report.worst, distance / std::max(1.0, size));
    ++report.checked;
    // Written so that a NaN on either side fails.
    if (!(distance <= options.tolerances.relative * size + options.tolerances.absolute + n.error))
      report.failures.push_back(
          {subject.name, position_of(flat, subject.value.shape()), a, n.derivative, n.error});
  }
}

}  // namespace

GradcheckReport gradcheck(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  const auto check_dtype = [&](const std::string& name, Dtype dtype) {
    if (dtype != Dtype::float64 && !(dtype == Dtype::float32 && options.allow_float32))
      throw DtypeError("gradcheck: " + name + " is " + std::string(to_string(dtype)) +
                       "; finite differences need float64, convert it with to(Dtype::float64)");
  };
  std::vector<Subject> subjects;
  {
    Tape tape;
    std::vector<Variable> leaves;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      check_dtype("input " + std::to_string(i), inputs[i].dtype());
      leaves.push_back(tape.watch(inputs[i]));
    }
    for (const Parameter& parameter : options.parameters)
      check_dtype(parameter.name(), parameter.dtype());
    const Variable loss = weighted(f(leaves));
    // A function that ignores its inputs has a constant result, which is no error here: its slope
    // is 0.
    const Gradients gradients = loss.recorded() ? tape.gradients(loss) : Gradients();
    const auto slope = [&](const auto& leaf) {
      return loss.recorded() ? gradients[leaf].value() : zeros(leaf.shape(), leaf.dtype());
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto evaluate = [&f, &inputs, i](const Tensor& changed) {
        std::vector<Variable> arguments(inputs.begin(), inputs.end());
        arguments[i] = changed;
        return weighted(f(arguments)).item();
      };
      subjects.push_back(
          {"input " + std::to_string(i), inputs[i].contiguous(), slope(leaves[i]), evaluate});
    }
    for (const Parameter& parameter : options.parameters) {
      const auto evaluate = [&f, &inputs,
                             parameter = Parameter(parameter)](const Tensor& changed) mutable {
        const Replaced replaced(parameter, changed);
        return weighted(f(std::vector<Variable>(inputs.begin(), inputs.end()))).item();
      };
      subjects.push_back(
          {parameter.name(), parameter.value().contiguous(), slope(parameter), evaluate});
    }
  }

  GradcheckReport report;
  for (const Subject& subject : subjects) compare(subject, options, report);
  std::stable_sort(report.failures.begin(), report.failures.end(),
                   [](const auto& a, const auto& b) {
                     return std::abs(a.analytic - a.numeric) > std::abs(b.analytic - b.numeric);
                   });
  report.passed = report.failures.empty();
  return report;
}

std::string GradcheckReport::to_string() const {
  std::ostringstream text;
  text.precision(10);
  text << "gradcheck: " << checked << " elements, " << failures.size() << " wrong";
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(failures.size(), kShown); ++i) {
    const GradcheckFailure& failure = failures[i];
    text << "\n  " << failure.input << ' ' << unroll::to_string(failure.position) << ": analytic "
         << failure.analytic << ", numeric " << failure.numeric << " (error about "
         << failure.numeric_error << ')';
  }
  if (failures.size() > kShown) text << "\n  and " << failures.size() - kShown << " more";
  return text.str();
}

}  // namespace unroll
