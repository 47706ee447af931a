#include <autograd/ops/contraction.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/init.hpp>
#include <nn/layers/bilinear.hpp>

#include <string>

namespace unroll::nn {
namespace {

Shape weight_shape(Index first, Index second, Index outputs) {
  if (first < 1 || second < 1 || outputs < 1)
    throw ArgumentError("bilinear: first, second and outputs must be at least 1, got " +
                        std::to_string(first) + ", " + std::to_string(second) + " and " +
                        std::to_string(outputs));
  return {outputs, first, second};
}

}  // namespace

Bilinear::Bilinear(Index first, Index second, Index outputs, const BilinearOptions& options)
    : weight_(
          parameter("weight", init::pytorch_default(weight_shape(first, second, outputs), first))) {
  if (options.bias) bias_ = parameter("bias", init::pytorch_default({outputs}, first));
}

Variable Bilinear::operator()(const Variable& a, const Variable& b) const {
  const Scope inside = scope();
  return bias_ ? bilinear(a, b, weight_, *bias_) : bilinear(a, b, weight_);
}

}  // namespace unroll::nn
