#include <nn/init.hpp>
#include <nn/linear.hpp>

namespace unroll::nn {

Linear::Linear(Index inputs, Index outputs, const LinearOptions& options)
    : weight_(parameter("weight", init::uniform_fan({outputs, inputs}, inputs))) {
  if (options.bias) bias_ = parameter("bias", init::uniform_fan({outputs}, inputs));
}

Variable Linear::operator()(const Variable& x) const {
  return bias_ ? linear(x, weight_, *bias_) : linear(x, weight_);
}

}  // namespace unroll::nn
