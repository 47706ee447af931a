#include <autograd/ops/normalization.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/layers/layer_norm.hpp>

#include <string>

namespace unroll::nn {
namespace {

Variable defined_or_none(const std::optional<Parameter>& parameter) {
  return parameter ? Variable(*parameter) : Variable();
}

}  // namespace

LayerNorm::LayerNorm(Index size, const LayerNormOptions& options)
    : size_(size), epsilon_(options.epsilon) {
  if (size < 1)
    throw ArgumentError("layer_norm: the size must be at least 1, it is " + std::to_string(size));
  if (!(epsilon_ >= 0.0))
    throw ArgumentError("layer_norm: epsilon must not be negative, it is " +
                        std::to_string(epsilon_));
  if (options.scale) weight_ = parameter("weight", ones({size}));
  if (options.bias) bias_ = parameter("bias", zeros({size}));
}

Variable LayerNorm::operator()(const Variable& x) const {
  const Scope inside = scope();
  if (!x.defined() || x.rank() < 1 || x.size(-1) != size_)
    throw ShapeError("layer_norm: x is " + describe(x.value()) + ", the layer takes [...," +
                     std::to_string(size_) + "]");
  return layer_norm(x, defined_or_none(weight_), defined_or_none(bias_), epsilon_);
}

}  // namespace unroll::nn
