#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/minimal_rnn.hpp>
#include <nn/init.hpp>

namespace unroll::nn {
namespace {

// Written with 1 - u = sigmoid(-a): an open gate keeps h exactly.
constexpr auto mix = [](auto a, auto z, auto h) { return h + sigmoid(-a) * (z - h); };

}  // namespace

MinimalRNN::MinimalRNN(Index inputs, Index hidden)
    : Cell(inputs, {hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({hidden, hidden}, hidden))),
      weight_zh_(parameter("weight_zh", init::pytorch_default({hidden, hidden}, hidden))),
      bias_ih_(parameter("bias_ih", init::pytorch_default({hidden}, hidden))),
      bias_zh_(parameter("bias_zh", init::pytorch_default({hidden}, hidden))) {}

Variable MinimalRNN::project(const Variable& x) const {
  const Variable z = tanh(linear(x, weight_ih_, bias_ih_));
  return concat({linear(z, weight_zh_, bias_zh_), z});
}

Step MinimalRNN::step(const Variable& x, const State& state) const {
  const auto [xu, z] = split<2>(x);
  return {pointwise("minimal_rnn", mix, linear(state[0], weight_hh_, xu), z, state[0])};
}

}  // namespace unroll::nn
