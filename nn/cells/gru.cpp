#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/gru.hpp>
#include <nn/init.hpp>

namespace unroll::nn {
namespace {

constexpr auto gates = [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h) {
  auto n = tanh(xn + sigmoid(xr + hr) * hn);
  return n + sigmoid(xz + hz) * (h - n);
};

}  // namespace

GRU::GRU(Index inputs, Index hidden)
    : Cell(inputs, {hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({3 * hidden, hidden}, hidden))),
      bias_ih_(parameter("bias_ih", init::pytorch_default({3 * hidden}, hidden))),
      bias_hh_(parameter("bias_hh", init::pytorch_default({3 * hidden}, hidden))) {}

Variable GRU::project(const Variable& x) const { return linear(x, weight_ih_, bias_ih_); }

Step GRU::step(const Variable& x, const State& state) const {
  auto [xr, xz, xn] = split<3>(x);
  auto [hr, hz, hn] = split<3>(linear(state[0], weight_hh_, bias_hh_));
  return {pointwise("gru", gates, xr, xz, xn, hr, hz, hn, state[0])};
}

}  // namespace unroll::nn
