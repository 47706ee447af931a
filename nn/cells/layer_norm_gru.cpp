#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/normalization.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/layer_norm_gru.hpp>
#include <nn/init.hpp>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

constexpr auto update = [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h) {
  auto n = tanh(xn + sigmoid(xr + hr) * hn);
  return n + sigmoid(xz + hz) * (h - n);
};

/// The sums of both gates and those of the candidate: `a: [...,3H]` to `[...,2H]` and `[...,H]`.
std::pair<Variable, Variable> gates_and_candidate(const Variable& a) {
  const Index hidden = a.size(-1) / 3;
  const std::vector<Variable> parts = split(a, std::array{2 * hidden, hidden});
  return {parts[0], parts[1]};
}

}  // namespace

LayerNormGRU::LayerNormGRU(Index inputs, Index hidden, const LayerNormGRUOptions& options)
    : Cell(inputs, {hidden}),
      epsilon_(options.epsilon),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({3 * hidden, hidden}, hidden))),
      scale_ih_(parameter("scale_ih", ones({3 * hidden}))),
      scale_hh_(parameter("scale_hh", ones({3 * hidden}))),
      bias_(parameter("bias", zeros({3 * hidden}))),
      bias_hn_(parameter("bias_hn", zeros({hidden}))) {
  // The first state is zeros, of which the variance is 0.
  if (!(epsilon_ > 0.0))
    throw ArgumentError("LayerNormGRU: epsilon must be positive, it is " +
                        std::to_string(epsilon_));
}

Variable LayerNormGRU::project(const Variable& x) const {
  const auto [gates, candidate] = gates_and_candidate(linear(x, weight_ih_));
  const auto [gate_scale, candidate_scale] = gates_and_candidate(scale_ih_);
  const auto [gate_bias, candidate_bias] = gates_and_candidate(bias_);
  return concat({layer_norm(gates, gate_scale, gate_bias, epsilon_),
                 layer_norm(candidate, candidate_scale, candidate_bias, epsilon_)});
}

Step LayerNormGRU::step(const Variable& x, const State& state) const {
  const auto [gates, candidate] = gates_and_candidate(linear(state[0], weight_hh_));
  const auto [gate_scale, candidate_scale] = gates_and_candidate(scale_hh_);
  auto [xr, xz, xn] = split<3>(x);
  auto [hr, hz] = split<2>(layer_norm(gates, gate_scale, {}, epsilon_));
  const Variable hn = layer_norm(candidate, candidate_scale, bias_hn_, epsilon_);
  return {pointwise("layer_norm_gru", update, xr, xz, xn, hr, hz, hn, state[0])};
}

}  // namespace unroll::nn
