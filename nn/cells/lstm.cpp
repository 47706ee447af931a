#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/lstm.hpp>
#include <nn/init.hpp>

namespace unroll::nn {
namespace {

constexpr auto gates = [](auto i, auto f, auto g, auto o, auto c) {
  auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::pair{sigmoid(o) * tanh(next), next};
};

}  // namespace

LSTM::LSTM(Index inputs, Index hidden)
    : Cell(inputs, {hidden, hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({4 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({4 * hidden, hidden}, hidden))),
      bias_ih_(parameter("bias_ih", init::pytorch_default({4 * hidden}, hidden))),
      bias_hh_(parameter("bias_hh", init::pytorch_default({4 * hidden}, hidden))) {}

Variable LSTM::project(const Variable& x) const {
  return linear(x, weight_ih_, Variable(bias_ih_) + Variable(bias_hh_));
}

Step LSTM::step(const Variable& x, const State& state) const {
  auto [i, f, g, o] = split<4>(linear(state[0], weight_hh_, x));
  auto [h, c] = pointwise("lstm", gates, i, f, g, o, state[1]);
  return {h, c};
}

}  // namespace unroll::nn
