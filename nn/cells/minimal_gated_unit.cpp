#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/minimal_gated_unit.hpp>
#include <nn/init.hpp>

namespace unroll::nn {
namespace {

// Computing the gate twice is cheaper than saving it for the backward pass.
constexpr auto gated = [](auto f, auto h) { return sigmoid(f) * h; };
constexpr auto next_hidden = [](auto f, auto c, auto h) { return h + sigmoid(f) * (tanh(c) - h); };

}  // namespace

MinimalGatedUnit::MinimalGatedUnit(Index inputs, Index hidden)
    : Cell(inputs, {hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({2 * hidden, inputs}, hidden))),
      weight_hf_(parameter("weight_hf", init::pytorch_default({hidden, hidden}, hidden))),
      weight_hc_(parameter("weight_hc", init::pytorch_default({hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({2 * hidden}, hidden))) {}

Variable MinimalGatedUnit::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step MinimalGatedUnit::step(const Variable& x, const State& state) const {
  const Variable& h = state[0];
  const auto [xf, xc] = split<2>(x);
  const Variable f = linear(h, weight_hf_, xf);
  const Variable c = linear(pointwise("minimal_gated_unit", gated, f, h), weight_hc_, xc);
  return {pointwise("minimal_gated_unit", next_hidden, f, c, h)};
}

}  // namespace unroll::nn
