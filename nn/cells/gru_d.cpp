#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/gru_d.hpp>
#include <nn/init.hpp>
#include <nn/recurrent/elapsed_time.hpp>

#include <array>
#include <tuple>
#include <vector>

namespace unroll::nn {
namespace {

/// Of a value v that may be NaN where m is 0: what is known of v^, what v^ keeps of the last
/// observation, and the two terms of the next last observation.
constexpr auto observe = [](auto v, auto m, auto d, auto weight, auto bias, auto mean) {
  const auto gamma = exp(-relu(weight * d + bias));
  const auto missing = 1.0 - m;
  const auto observed = weighted(m, v);
  return std::tuple{observed + missing * (1.0 - gamma) * mean, missing * gamma, observed, missing};
};
constexpr auto decay = [](auto a) { return exp(-relu(a)); };
constexpr auto product = [](auto a, auto b) { return a * b; };
constexpr auto reset = [](auto xr, auto hr, auto h) { return sigmoid(xr + hr) * h; };
constexpr auto update = [](auto xz, auto hz, auto n, auto h) {
  return h + sigmoid(xz + hz) * (tanh(n) - h);
};
constexpr auto last_observation = [](auto observed, auto missing, auto last) {
  return observed + missing * last;
};

Tensor checked_mean(const Tensor& mean, Index variables) {
  if (!mean.defined()) return zeros({variables});
  if (mean.shape() != Shape{variables} || !is_floating(mean.dtype()))
    throw ShapeError("GRUD: the mean is " + describe(mean) + ", it must be floating " +
                     to_string(Shape{variables}) + ", one for each variable");
  return mean.to(Dtype::float32);
}

}  // namespace

GRUD::GRUD(Index variables, Index hidden, const GRUDOptions& options)
    : Cell(3 * variables, {hidden, variables}),
      mean_(buffer("mean", checked_mean(options.mean, variables))),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, variables}, hidden))),
      weight_mh_(parameter("weight_mh", init::pytorch_default({3 * hidden, variables}, hidden))),
      bias_(parameter("bias", init::pytorch_default({3 * hidden}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({2 * hidden, hidden}, hidden))),
      weight_nh_(parameter("weight_nh", init::pytorch_default({hidden, hidden}, hidden))),
      decay_x_weight_(parameter("decay_x_weight", init::pytorch_default({variables}, hidden))),
      decay_x_bias_(parameter("decay_x_bias", init::pytorch_default({variables}, hidden))),
      decay_h_weight_(
          parameter("decay_h_weight", init::pytorch_default({hidden, variables}, hidden))),
      decay_h_bias_(parameter("decay_h_bias", init::pytorch_default({hidden}, hidden))) {}

State GRUD::initial_state(Index batch, Dtype dtype) const {
  return {zeros({batch, state_sizes()[0]}, dtype), broadcast_to(mean_, {batch, state_sizes()[1]})};
}

Variable GRUD::project(const Variable& x) const {
  auto [values, mask, elapsed] = split<3>(x);
  check_elapsed("GRUD", elapsed);
  const auto [known, keep, observed, missing] =
      pointwise("gru_d", observe, values, mask, elapsed, decay_x_weight_, decay_x_bias_, mean_);
  const Variable gates = linear(known, weight_ih_, linear(mask, weight_mh_, bias_));
  const Variable gamma_h =
      pointwise("gru_d", decay, linear(elapsed, decay_h_weight_, decay_h_bias_));
  return concat({gates, gamma_h, keep, observed, missing});
}

Step GRUD::step(const Variable& x, const State& state) const {
  const Index hidden = state_sizes()[0];
  const Index variables = state_sizes()[1];
  const std::array<Index, 5> sizes{3 * hidden, hidden, variables, variables, variables};
  const std::vector<Variable> parts = split(x, sizes);
  const Variable kept = pointwise("gru_d", product, parts[2], state[1]);
  auto [xr, xz, xn] = split<3>(linear(kept, weight_ih_, parts[0]));
  const Variable h = pointwise("gru_d", product, parts[1], state[0]);
  auto [hr, hz] = split<2>(linear(h, weight_hh_));
  const Variable n = linear(pointwise("gru_d", reset, xr, hr, h), weight_nh_, xn);
  return {pointwise("gru_d", update, xz, hz, n, h),
          pointwise("gru_d", last_observation, parts[3], parts[4], state[1])};
}

}  // namespace unroll::nn
