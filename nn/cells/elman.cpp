#include <autograd/ops/matmul.hpp>
#include <nn/cells/elman.hpp>
#include <nn/init.hpp>

namespace unroll::nn {

Elman::Elman(Index inputs, Index hidden, const ElmanOptions& options)
    : Cell(inputs, {hidden}),
      activation_(options.activation),
      weight_ih_(parameter("weight_ih", init::pytorch_default({hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({hidden, hidden}, hidden))),
      bias_ih_(parameter("bias_ih", init::pytorch_default({hidden}, hidden))),
      bias_hh_(parameter("bias_hh", init::pytorch_default({hidden}, hidden))) {}

Variable Elman::project(const Variable& x) const {
  return linear(x, weight_ih_, Variable(bias_ih_) + Variable(bias_hh_));
}

Step Elman::step(const Variable& x, const State& state) const {
  return {activation_(linear(state[0], weight_hh_, x))};
}

}  // namespace unroll::nn
