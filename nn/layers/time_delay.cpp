#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/init.hpp>
#include <nn/layers/time_delay.hpp>

#include <algorithm>
#include <numeric>
#include <string>

namespace unroll::nn {
namespace {

void check_sizes(const char* layer, Index inputs, Index outputs) {
  if (inputs < 1 || outputs < 1)
    throw ArgumentError(std::string(layer) + ": inputs and outputs must be at least 1, got " +
                        std::to_string(inputs) + " and " + std::to_string(outputs));
}

Shape weight_shape(Index inputs, Index outputs, const TimeDelayOptions& options) {
  check_sizes("time_delay", inputs, outputs);
  std::vector<Index> sorted = options.delays;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty() || sorted.front() < 0 ||
      std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    throw ArgumentError("time_delay: there must be at least one delay, none negative, each once");
  const Shape shape{outputs, static_cast<Index>(sorted.size()), inputs};
  if (options.connections.defined() && options.connections.shape() != shape)
    throw ShapeError("time_delay: connections is " + describe(options.connections) +
                     ", these sizes and delays need " + to_string(shape));
  return shape;
}

/// The number of inputs, when all sizes make sense.
Index checked(Index inputs, Index outputs, const LearnedDelayOptions& options) {
  check_sizes("learned_delay", inputs, outputs);
  if (options.max_delay < 1)
    throw ArgumentError("learned_delay: max_delay must be at least 1, it is " +
                        std::to_string(options.max_delay));
  return inputs;
}

/// x(t - d) for each delay side by side, one product for all of them: [T,B,I] to [T,B,N I].
Variable delayed(const char* layer, const Variable& x, Index inputs,
                 const std::vector<Index>& delays) {
  if (!x.defined() || x.rank() != 3 || x.size(2) != inputs)
    throw ShapeError(std::string(layer) + ": x is " + describe(x.value()) +
                     ", the layer takes [T,B," + std::to_string(inputs) + "]");
  const Index longest = *std::max_element(delays.begin(), delays.end());
  if (longest >= x.size(0))
    throw ShapeError(std::string(layer) + ": a delay of " + std::to_string(longest) +
                     " steps reaches beyond x " + to_string(x.shape()) +
                     "; give longer sequences or shorter delays");
  const Variable past = pad(x, 0, longest, 0);  // zeros before the first step
  std::vector<Variable> taps;
  taps.reserve(delays.size());
  for (Index d : delays) taps.push_back(slice(past, 0, longest - d, longest - d + x.size(0)));
  return concat(taps);
}

Variable product(const Variable& taps, const Variable& kernel, const std::vector<Parameter>& bias) {
  const Variable weight = reshape(kernel, {kernel.size(0), -1});
  return bias.empty() ? linear(taps, weight) : linear(taps, weight, bias[0]);
}

}  // namespace

TimeDelay::TimeDelay(Index inputs, Index outputs, const TimeDelayOptions& options)
    : inputs_(inputs),
      options_(options),
      weight_(parameter(
          "weight", init::pytorch_default(weight_shape(inputs, outputs, options),
                                          inputs * static_cast<Index>(options.delays.size())))) {
  if (options.bias) bias_.push_back(parameter("bias", init::pytorch_default({outputs}, inputs)));
}

Variable TimeDelay::operator()(const Variable& x) const {
  const Scope inside = scope();
  const Variable taps = delayed("time_delay", x, inputs_, options_.delays);
  const Tensor& connections = options_.connections;
  if (!connections.defined()) return product(taps, weight_, bias_);
  return product(taps, Variable(weight_) * Variable(connections.to(weight_.dtype())), bias_);
}

LearnedDelay::LearnedDelay(Index inputs, Index outputs, const LearnedDelayOptions& options)
    : inputs_(checked(inputs, outputs, options)),
      weight_(parameter("weight", init::pytorch_default({outputs, inputs}, inputs))),
      delay_(parameter("delay", zeros({outputs, options.max_delay, inputs}))) {
  if (options.bias) bias_.push_back(parameter("bias", init::pytorch_default({outputs}, inputs)));
}

Variable LearnedDelay::operator()(const Variable& x) const {
  const Scope inside = scope();
  std::vector<Index> delays(static_cast<std::size_t>(delay_.value().size(1)));
  std::iota(delays.begin(), delays.end(), Index{1});
  const Variable taps = delayed("learned_delay", x, inputs_, delays);
  return product(taps, unsqueeze(weight_, 1) * distribution(), bias_);
}

Variable LearnedDelay::distribution() const { return softmax(delay_, 1); }

}  // namespace unroll::nn
