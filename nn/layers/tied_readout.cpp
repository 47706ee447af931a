#include <autograd/ops/matmul.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/layers/tied_readout.hpp>

#include <string>

namespace unroll::nn {

TiedReadout::TiedReadout(const Embedding& embedding, const TiedReadoutOptions& options)
    : weight_(share("weight", embedding.weight())) {
  if (options.bias) bias_ = parameter("bias", zeros({weight_.shape()[0]}, weight_.dtype()));
}

Variable TiedReadout::operator()(const Variable& h) const {
  const Scope inside = scope();
  if (!h.defined() || h.rank() < 1 || h.size(-1) != weight_.shape()[1])
    throw ShapeError("tied_readout: h is " + describe(h.value()) + ", the embedding " +
                     to_string(weight_.shape()) + " takes [...," +
                     std::to_string(weight_.shape()[1]) + "]");
  return bias_ ? linear(h, weight_, *bias_) : linear(h, weight_);
}

}  // namespace unroll::nn
