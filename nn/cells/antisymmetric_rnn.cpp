#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/antisymmetric_rnn.hpp>
#include <nn/init.hpp>
#include <nn/recurrent/cell_options.hpp>

namespace unroll::nn {
namespace {

AntisymmetricRNNOptions checked(const AntisymmetricRNNOptions& options) {
  checked_positive("AntisymmetricRNN", "epsilon", options.epsilon);
  checked_not_negative("AntisymmetricRNN", "gamma", options.gamma);
  return options;
}

}  // namespace

AntisymmetricRNN::AntisymmetricRNN(Index inputs, Index hidden,
                                   const AntisymmetricRNNOptions& options)
    : Cell(inputs, {hidden}),
      options_(checked(options)),
      weight_ih_(parameter(
          "weight_ih", init::pytorch_default({(options.gated ? 2 : 1) * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({(options.gated ? 2 : 1) * hidden}, hidden))) {}

Variable AntisymmetricRNN::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step AntisymmetricRNN::step(const Variable& x, const State& state) const {
  const Variable& h = state[0];
  // Not two products, one of them with W^T: rounding would leave a trace of the symmetric part.
  const Variable weight = weight_hh_;
  const Variable antisymmetric = weight - transpose(weight);
  const double epsilon = options_.epsilon, gamma = options_.gamma;
  if (!options_.gated)
    return {pointwise(
        "antisymmetric_rnn",
        [epsilon, gamma](auto a, auto old) { return old + epsilon * tanh(a - gamma * old); },
        linear(h, antisymmetric, x), h)};
  auto [xh, xz] = split<2>(x);
  return {pointwise(
      "antisymmetric_rnn",
      [epsilon, gamma](auto a, auto candidate, auto gate, auto old) {
        const auto product = a - gamma * old;
        return old + epsilon * sigmoid(product + gate) * tanh(product + candidate);
      },
      linear(h, antisymmetric), xh, xz, h)};
}

}  // namespace unroll::nn
