#include <autograd/ops/convolution.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/init.hpp>
#include <nn/layers/conv1d.hpp>

#include <string>

namespace unroll::nn {
namespace {

Shape weight_shape(Index inputs, Index outputs, Index kernel, const Conv1dLayerOptions& options) {
  if (inputs < 1 || outputs < 1 || kernel < 1)
    throw ArgumentError("conv1d: inputs, outputs and kernel must be at least 1, got " +
                        std::to_string(inputs) + ", " + std::to_string(outputs) + " and " +
                        std::to_string(kernel));
  if (options.stride < 1 || options.dilation < 1 || options.groups < 1)
    throw ArgumentError("conv1d: stride, dilation and groups must be at least 1, got " +
                        std::to_string(options.stride) + ", " + std::to_string(options.dilation) +
                        " and " + std::to_string(options.groups));
  if (inputs % options.groups != 0 || outputs % options.groups != 0)
    throw ArgumentError("conv1d: " + std::to_string(options.groups) +
                        " groups must divide the inputs and the outputs, which are " +
                        std::to_string(inputs) + " and " + std::to_string(outputs));
  if (options.padding == Conv1dPadding::same && options.stride != 1)
    throw ArgumentError("conv1d: padding `same` keeps the number of steps, which a stride of " +
                        std::to_string(options.stride) + " does not; use `causal` or `valid`");
  return {outputs, inputs / options.groups, kernel};
}

}  // namespace

Conv1d::Conv1d(Index inputs, Index outputs, Index kernel, const Conv1dLayerOptions& options)
    : inputs_(inputs),
      options_(options),
      weight_(
          parameter("weight", init::pytorch_default(weight_shape(inputs, outputs, kernel, options),
                                                    inputs / options.groups * kernel))) {
  if (options.bias)
    bias_ = parameter("bias", init::pytorch_default({outputs}, inputs / options.groups * kernel));
}

Variable Conv1d::operator()(const Variable& x) const {
  const Scope inside = scope();
  if (!x.defined() || x.rank() != 3 || x.size(2) != inputs_ || x.size(0) < 1)
    throw ShapeError("conv1d: x is " + describe(x.value()) + ", the layer takes [T,B," +
                     std::to_string(inputs_) + "] with T at least 1");
  const Index span = options_.dilation * (weight_.shape()[2] - 1);
  const bool is_padded = options_.padding != Conv1dPadding::valid;
  if (!is_padded && x.size(0) <= span)
    throw ShapeError("conv1d: the kernel spans " + std::to_string(span + 1) + " steps, x " +
                     to_string(x.shape()) + " has fewer; give longer sequences, or pad");
  const Index before = options_.padding == Conv1dPadding::causal ? span : span / 2;
  const Variable padded = is_padded && span > 0 ? pad(x, 0, before, span - before) : x;
  const Variable y =
      conv1d(permute(padded, {1, 2, 0}), weight_, bias_ ? Variable(*bias_) : Variable(),
             {.stride = options_.stride, .dilation = options_.dilation, .groups = options_.groups});
  return permute(y, {2, 0, 1});
}

}  // namespace unroll::nn
