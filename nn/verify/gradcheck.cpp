#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/verify/gradcheck.hpp>
#include <nn/verify/in_dtype.hpp>

#include <utility>

namespace unroll::nn {
namespace {

/// The inputs of a recurrent layer: x, and a state from where the cell lives.
std::vector<Tensor> inputs_of(const Recurrent& rnn, const Tensor& x) {
  constexpr Index kSteps = 8;
  const InFloat64 converted(rnn);
  State state;
  for (const Shape& shape : rnn.cell().state_shapes())
    state.push_back(zeros(with_batch(x.rank() == 3 ? x.size(1) : 1, shape), Dtype::float64));
  for (Index steps = 0; x.rank() == 3 && x.size(0) > 0 && steps < kSteps; steps += x.size(0))
    state = rnn(x, state).state;
  std::vector<Tensor> inputs{x};
  Generator generator(1990);
  for (const Variable& reached : state)
    inputs.push_back(
        (reached + Variable(uniform(reached.shape(), -0.1, 0.1, Dtype::float64, generator)))
            .value());
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

}  // namespace

GradcheckReport gradcheck(const Module& module, const DifferentiableFunction& f,
                          const std::vector<Tensor>& inputs, GradcheckOptions options) {
  const InFloat64 converted(module);
  const std::vector<Parameter> trained = converted.trained();
  options.parameters.insert(options.parameters.end(), trained.begin(), trained.end());
  return unroll::gradcheck(f, inputs, options);
}

GradcheckReport check_float32(const Module& module, const DifferentiableFunction& f,
                              const std::vector<Tensor>& inputs, GradcheckOptions options) {
  for (const Parameter& parameter : module.parameters())
    if (!parameter.frozen()) options.parameters.push_back(parameter);
  return unroll::check_float32(f, inputs, options);
}

GradcheckReport gradcheck(const Recurrent& rnn, const Tensor& x, const GradcheckOptions& options) {
  return gradcheck(rnn, function_of(rnn), inputs_of(rnn, x), options);
}

GradcheckReport gradgradcheck(const Module& module, const DifferentiableFunction& f,
                              const std::vector<Tensor>& inputs, GradcheckOptions options) {
  const InFloat64 converted(module);
  const std::vector<Parameter> trained = converted.trained();
  options.parameters.insert(options.parameters.end(), trained.begin(), trained.end());
  return unroll::gradgradcheck(f, inputs, options);
}

GradcheckReport gradgradcheck(const Recurrent& rnn, const Tensor& x,
                              const GradcheckOptions& options) {
  return gradgradcheck(rnn, function_of(rnn), inputs_of(rnn, x), options);
}

}  // namespace unroll::nn
