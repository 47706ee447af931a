#include <autograd/error.hpp>
#include <autograd/ops/elementwise.hpp>
#include <nn/dropout.hpp>

namespace unroll::nn {

Dropout::Dropout(double rate) : rate_(rate) {
  if (!(rate >= 0.0 && rate < 1.0))
    throw ArgumentError("dropout: the rate must lie in [0, 1), it is " + std::to_string(rate));
}

Variable Dropout::operator()(const Variable& x, Generator& generator) const {
  if (!training() || rate_ == 0.0) return x;
  return x * Variable(bernoulli(x.shape(), 1.0 - rate_, x.dtype(), generator)) *
         (1.0 / (1.0 - rate_));
}

}  // namespace unroll::nn
