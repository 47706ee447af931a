#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/ind_rnn.hpp>
#include <nn/init.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

Tensor first_recurrent(Index hidden, const IndRNNOptions& options) {
  const double low = options.min_recurrent, high = options.max_recurrent;
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    throw ArgumentError("IndRNN: min_recurrent and max_recurrent are " + std::to_string(low) +
                        " and " + std::to_string(high) +
                        "; give finite bounds, the lower one first");
  return uniform({hidden}, low, high);
}

}  // namespace

IndRNN::IndRNN(Index inputs, Index hidden, const IndRNNOptions& options)
    : Cell(inputs, {hidden}),
      activation_(options.activation),
      weight_ih_(parameter("weight_ih", init::pytorch_default({hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", first_recurrent(hidden, options))),
      bias_(parameter("bias", init::pytorch_default({hidden}, hidden))) {}

Variable IndRNN::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step IndRNN::step(const Variable& x, const State& state) const {
  return {activation_(pointwise(
      "ind_rnn", [](auto input, auto u, auto h) { return input + u * h; }, x, weight_hh_,
      state[0]))};
}

}  // namespace unroll::nn
