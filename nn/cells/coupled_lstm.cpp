#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/coupled_lstm.hpp>
#include <nn/init.hpp>

#include <utility>

namespace unroll::nn {
namespace {

constexpr auto gates = [](auto f, auto g, auto o, auto c) {
  auto candidate = tanh(g);
  auto next = candidate + sigmoid(f) * (c - candidate);
  return std::pair{sigmoid(o) * tanh(next), next};
};

}  // namespace

CoupledLSTM::CoupledLSTM(Index inputs, Index hidden)
    : Cell(inputs, {hidden, hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({3 * hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({3 * hidden}, hidden))) {}

Variable CoupledLSTM::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step CoupledLSTM::step(const Variable& x, const State& state) const {
  auto [f, g, o] = split<3>(linear(state[0], weight_hh_, x));
  auto [h, c] = pointwise("coupled_lstm", gates, f, g, o, state[1]);
  return {h, c};
}

}  // namespace unroll::nn
