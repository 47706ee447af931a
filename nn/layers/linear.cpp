#include <autograd/tensor/error.hpp>
#include <nn/init.hpp>
#include <nn/layers/linear.hpp>

#include <string>

namespace unroll::nn {
namespace {

Shape weight_shape(Index inputs, Index outputs) {
  if (inputs < 1 || outputs < 1)
    throw ArgumentError("linear: inputs and outputs must be at least 1, got " +
                        std::to_string(inputs) + " and " + std::to_string(outputs));
  return {outputs, inputs};
}

}  // namespace

Linear::Linear(Index inputs, Index outputs, const LinearOptions& options)
    : weight_(parameter("weight", init::pytorch_default(weight_shape(inputs, outputs), inputs))) {
  if (options.bias) bias_ = parameter("bias", init::pytorch_default({outputs}, inputs));
}

Variable Linear::operator()(const Variable& x) const {
  const Scope inside = scope();
  return bias_ ? linear(x, weight_, *bias_) : linear(x, weight_);
}

}  // namespace unroll::nn
