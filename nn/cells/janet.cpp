#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/janet.hpp>
#include <nn/init.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

double checked_beta(double beta) {
  if (!std::isfinite(beta))
    throw ArgumentError("JANET: beta must be finite, it is " + std::to_string(beta) +
                        "; the paper uses 1");
  return beta;
}

Tensor first_bias(Index hidden, double max_time_scale) {
  if (max_time_scale == 0.0) return init::pytorch_default({2 * hidden}, hidden);
  if (!std::isfinite(max_time_scale) || max_time_scale < 2.0)
    throw ArgumentError("JANET: max_time_scale must be finite and at least 2, it is " +
                        std::to_string(max_time_scale) +
                        "; leave it 0 for biases without chrono initialisation");
  const Variable forget = log(uniform({hidden}, 1.0, max_time_scale - 1.0));
  return concat({forget, zeros({hidden})}).value();
}

}  // namespace

JANET::JANET(Index inputs, Index hidden, const JANETOptions& options)
    : Cell(inputs, {hidden}),
      beta_(checked_beta(options.beta)),
      weight_ih_(parameter("weight_ih", init::pytorch_default({2 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({2 * hidden, hidden}, hidden))),
      bias_(parameter("bias", first_bias(hidden, options.max_time_scale))) {}

Variable JANET::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step JANET::step(const Variable& x, const State& state) const {
  const auto [s, g] = split<2>(linear(state[0], weight_hh_, x));
  return {pointwise(
      "janet",
      // 1 - sigmoid(a) is sigmoid(-a), without cancellation.
      [beta = beta_](auto forget, auto candidate, auto h) {
        return sigmoid(forget) * h + sigmoid(beta - forget) * tanh(candidate);
      },
      s, g, state[0])};
}

}  // namespace unroll::nn
