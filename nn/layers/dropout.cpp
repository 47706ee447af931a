#include <autograd/ops/dropout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/layers/dropout.hpp>

#include <string>

namespace unroll::nn {

Dropout::Dropout(double rate) : rate_(rate) {
  if (!(rate >= 0.0 && rate <= 1.0))
    throw ArgumentError("dropout: the rate must lie in [0, 1], it is " + std::to_string(rate));
}

Variable Dropout::operator()(const Variable& x, Generator& generator) const {
  const Scope inside = scope();
  return training() ? dropout(x, rate_, generator) : x;
}

}  // namespace unroll::nn
