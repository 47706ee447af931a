#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/reset_before_gru.hpp>
#include <nn/init.hpp>

namespace unroll::nn {
namespace {

constexpr auto reset = [](auto xr, auto hr, auto h) { return sigmoid(xr + hr) * h; };
constexpr auto update = [](auto xz, auto hz, auto a, auto h) {
  auto n = tanh(a);
  return n + sigmoid(xz + hz) * (h - n);
};

}  // namespace

ResetBeforeGRU::ResetBeforeGRU(Index inputs, Index hidden)
    : Cell(inputs, {hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, hidden))),
      bias_(parameter("bias", init::pytorch_default({3 * hidden}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({2 * hidden, hidden}, hidden))),
      weight_hn_(parameter("weight_hn", init::pytorch_default({hidden, hidden}, hidden))) {}

Variable ResetBeforeGRU::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step ResetBeforeGRU::step(const Variable& x, const State& state) const {
  const Variable& h = state[0];
  auto [xr, xz, xn] = split<3>(x);
  auto [hr, hz] = split<2>(linear(h, weight_hh_));
  const Variable a = linear(pointwise("reset_before_gru", reset, xr, hr, h), weight_hn_, xn);
  return {pointwise("reset_before_gru", update, xz, hz, a, h)};
}

}  // namespace unroll::nn
