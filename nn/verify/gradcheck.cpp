#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/verify/gradcheck.hpp>
#include <nn/verify/in_dtype.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_set>
#include <utility>

namespace unroll::nn {
namespace {

/// True when the numbers are all positive or all negative, as of a state that is taken the
/// logarithm of.
bool has_one_sign(const Variable& x) {
  const Index count = x.value().size();
  return count > 0 && std::abs(sum(sign(detach(x))).item()) == static_cast<double>(count);
}

/// The inputs of a recurrent layer: x, and a state from where the cell lives.
std::vector<Tensor> inputs_of(const Recurrent& rnn, const Tensor& x) {
  constexpr Index kSteps = 8;
  const InFloat64 converted(rnn);
  State state = rnn(x, {}).state;
  for (Index steps = x.size(0); steps > 0 && steps < kSteps; steps += x.size(0))
    state = rnn(x, state).state;
  std::vector<Tensor> inputs{x};
  Generator generator(1990);
  for (const Variable& reached : state) {
    const Variable beside = uniform(reached.shape(), -0.1, 0.1, Dtype::float64, generator);
    inputs.push_back((has_one_sign(reached) ? reached * (1.0 + beside) : reached + beside).value());
  }
  return inputs;
}

/// Outputs and final state as one row, with the same random numbers each time.
DifferentiableFunction function_of(const Recurrent& rnn) {
  return [&rnn, start = default_generator()](std::span<const Variable> arguments) {
    const GeneratorScope repeats(start);
    State state;
    for (const Variable& value : arguments.subspan(1)) state.push_back(value);
    auto [outputs, last] = rnn(arguments[0], state);
    memory::Vector<Variable> all{reshape(outputs, {-1})};
    for (const Variable& value : last) all.push_back(reshape(value, {-1}));
    return concat(all);
  };
}

/// The parameters of the module that are trained, by their paths.
void add_parameters(const Module& module, GradcheckOptions& options) {
  if (options.parameter_names.empty())
    for (const Parameter& parameter : options.parameters)
      options.parameter_names.push_back(parameter.name());
  std::unordered_set<const void*> seen;
  for (const auto& [path, parameter] : module.named_parameters()) {
    if (parameter.frozen() || !seen.insert(parameter.identity()).second) continue;
    options.parameters.push_back(parameter);
    options.parameter_names.push_back(path);
  }
}

/// Whether a sequence gives the same in two parts as in one; true where random numbers are drawn.
bool is_same_in_parts(const Recurrent& rnn, const Tensor& x) {
  constexpr double kRounding = 1e-11;
  const InFloat64 converted(rnn);
  const auto run = [&](std::uint64_t seed, const Tensor& part, const State& state) {
    const GeneratorScope seeded(Generator{seed});
    return rnn(part, state, {.draws = Generator{1}});
  };
  const auto differ = [](const Variable& a, const Variable& b) {
    return max(abs(detach(a) - detach(b))).item() >
           kRounding * std::max(1.0, max(abs(detach(b))).item());
  };
  const Index steps = x.size(0);
  const Sequence whole = run(1, x, {});
  if (differ(run(2, x, {}).outputs, whole.outputs)) return true;
  const Sequence head = run(1, x.slice(0, 0, steps / 2), {});
  const Sequence tail = run(1, x.slice(0, steps / 2, steps), head.state);
  return !differ(concat({head.outputs, tail.outputs}, 0), whole.outputs);
}

}  // namespace

GradcheckReport gradcheck(const Module& module, const DifferentiableFunction& f,
                          const std::vector<Tensor>& inputs, GradcheckOptions options) {
  const InFloat64 converted(module);
  add_parameters(module, options);
  return unroll::gradcheck(f, inputs, options);
}

GradcheckReport check_float32(const Module& module, const DifferentiableFunction& f,
                              const std::vector<Tensor>& inputs, GradcheckOptions options) {
  add_parameters(module, options);
  return unroll::check_float32(f, inputs, options);
}

GradcheckReport gradcheck(const Recurrent& rnn, const Tensor& x, const GradcheckOptions& options) {
  GradcheckReport report = gradcheck(rnn, function_of(rnn), inputs_of(rnn, x), options);
  if (x.size(0) > 1 && !is_same_in_parts(rnn, x)) {
    report.passed = false;
    report.findings.push_back(
        {.cause = Cause::mixes_time_steps,
         .text =
             "the layer gives another result for a sequence in two parts than in one: project() "
             "of " +
             class_name(rnn.cell()) +
             " mixes time steps, or the cell remembers what is "
             "not in its state; a layer runs long sequences in parts"});
  }
  return report;
}

GradcheckReport gradgradcheck(const Module& module, const DifferentiableFunction& f,
                              const std::vector<Tensor>& inputs, GradcheckOptions options) {
  const InFloat64 converted(module);
  add_parameters(module, options);
  return unroll::gradgradcheck(f, inputs, options);
}

GradcheckReport gradgradcheck(const Recurrent& rnn, const Tensor& x,
                              const GradcheckOptions& options) {
  return gradgradcheck(rnn, function_of(rnn), inputs_of(rnn, x), options);
}

}  // namespace unroll::nn
