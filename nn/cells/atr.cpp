#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/atr.hpp>
#include <nn/init.hpp>

namespace unroll::nn {
namespace {

constexpr auto twin_gates = [](auto p, auto q, auto h) {
  return sigmoid(p + q) * p + sigmoid(p - q) * h;
};

}  // namespace

ATR::ATR(Index inputs, Index hidden)
    : Cell(inputs, {hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({hidden}, hidden))) {}

Variable ATR::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step ATR::step(const Variable& x, const State& state) const {
  return {pointwise("atr", twin_gates, x, linear(state[0], weight_hh_), state[0])};
}

}  // namespace unroll::nn
