#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/multiplicative_lstm.hpp>
#include <nn/init.hpp>

#include <array>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

constexpr auto gates = [](auto i, auto f, auto g, auto o, auto c) {
  auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::pair{sigmoid(o) * tanh(next), next};
};

}  // namespace

MultiplicativeLSTM::MultiplicativeLSTM(Index inputs, Index hidden)
    : Cell(inputs, {hidden, hidden}),
      weight_mx_(parameter("weight_mx", init::pytorch_default({hidden, inputs}, hidden))),
      weight_mh_(parameter("weight_mh", init::pytorch_default({hidden, hidden}, hidden))),
      weight_ih_(parameter("weight_ih", init::pytorch_default({4 * hidden, inputs}, hidden))),
      weight_hm_(parameter("weight_hm", init::pytorch_default({4 * hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({4 * hidden}, hidden))) {}

Variable MultiplicativeLSTM::project(const Variable& x) const {
  return concat({linear(x, weight_mx_), linear(x, weight_ih_, bias_)});
}

Step MultiplicativeLSTM::step(const Variable& x, const State& state) const {
  const Index hidden = state_sizes()[0];
  const std::vector<Variable> parts = split(x, std::array{hidden, 4 * hidden});
  const Variable m = parts[0] * linear(state[0], weight_mh_);
  auto [i, f, g, o] = split<4>(linear(m, weight_hm_, parts[1]));
  auto [h, c] = pointwise("multiplicative_lstm", gates, i, f, g, o, state[1]);
  return {h, c};
}

}  // namespace unroll::nn
