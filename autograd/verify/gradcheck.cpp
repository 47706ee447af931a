#include <autograd/ops/layout.hpp>
#include <autograd/tape/tape.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/verify/comparison.hpp>
#include <autograd/verify/gradcheck.hpp>
#include <autograd/verify/varied.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace unroll {
namespace {

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

/// x -> the gradients of the weighted sum of f(x), by inputs and parameters, as one row. On the
/// tape that is alive the backward pass is recorded; where none is, as in finite differences, a
/// tape of its own takes a plain backward pass. So the two kinds of backward pass are compared as
/// well.
DifferentiableFunction gradient_of(const DifferentiableFunction& f,
                                   const std::vector<Parameter>& parameters) {
  return [f, parameters](std::span<const Variable> inputs) -> Variable {
    const auto row_of = [&](Tape& tape, std::span<const Variable> leaves, bool differentiable) {
      const Variable loss = detail::WeightedSums()(f(leaves), 0);
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
  const Varied varied(f, inputs, options);
  return detail::compare_gradients(varied, options);
}

GradcheckReport detail::gradcheck_of_draws(
    const DifferentiableFunction& f, const std::function<std::vector<Tensor>(Generator&)>& draw,
    const GradcheckOptions& options, int draws) {
  GradcheckReport all;
  all.passed = true;
  all.directions = options.directions;
  for (int k = 0; k < draws; ++k) {
    Generator generator(1669, static_cast<std::uint64_t>(k));
    const std::vector<Tensor> inputs = draw(generator);
    GradcheckReport report = gradcheck(f, inputs, options);
    if (!report.passed) {
      std::string shapes = "draw " + std::to_string(k) + " of the inputs:";
      for (const Tensor& input : inputs) shapes += ' ' + describe(input);
      for (GradcheckFinding& finding : report.findings) finding.text += "; " + shapes;
      return report;
    }
    all.checked += report.checked;
    all.worst = std::max(all.worst, report.worst);
    all.not_judged.insert(all.not_judged.end(), report.not_judged.begin(), report.not_judged.end());
  }
  return all;
}

GradcheckReport gradgradcheck(const DifferentiableFunction& f, const std::vector<Tensor>& inputs,
                              const GradcheckOptions& options) {
  check_dtypes(inputs, options);
  const Varied varied(f, inputs, options);
  GradcheckOptions second = options;
  second.jvp = false;  // of f, below, not of its gradient
  GradcheckReport report = gradcheck(gradient_of(f, options.parameters), inputs, second);
  const GradcheckReport first = detail::compare_jvp(varied, options);
  // The reason why a vjp is not differentiable says more than how its derivative is off.
  report.findings.insert(report.findings.begin(), first.findings.begin(), first.findings.end());
  report.failures.insert(report.failures.end(), first.failures.begin(), first.failures.end());
  report.passed = report.passed && first.passed;
  return report;
}

}  // namespace unroll
