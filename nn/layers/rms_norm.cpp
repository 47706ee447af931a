#include <autograd/ops/normalization.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/layers/rms_norm.hpp>

#include <string>

namespace unroll::nn {

RMSNorm::RMSNorm(Index size, const RMSNormOptions& options)
    : size_(size), epsilon_(options.epsilon) {
  if (size < 1)
    throw ArgumentError("rms_norm: the size must be at least 1, it is " + std::to_string(size));
  if (!(epsilon_ >= 0.0))
    throw ArgumentError("rms_norm: epsilon must not be negative, it is " +
                        std::to_string(epsilon_));
  if (options.scale) weight_ = parameter("weight", ones({size}));
}

Variable RMSNorm::operator()(const Variable& x) const {
  const Scope inside = scope();
  if (!x.defined() || x.rank() < 1 || x.size(-1) != size_)
    throw ShapeError("rms_norm: x is " + describe(x.value()) + ", the layer takes [...," +
                     std::to_string(size_) + "]");
  return weight_ ? rms_norm(x, *weight_, epsilon_) : rms_norm(x, {}, epsilon_);
}

}  // namespace unroll::nn
