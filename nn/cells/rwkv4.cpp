#include <autograd/ops/layout.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/rwkv4.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace unroll::nn {
namespace {

/// pp of an empty memory. exp(pp - pp') must be 0 for any pp' that a key can give.
constexpr double kNothingStored = -1e30;

/// (i / count)^power for i = 0, 1, ..., count - 1.
Tensor ramp(Index count, double power) {
  std::vector<float> values;
  for (Index i = 0; i < count; ++i)
    values.push_back(
        static_cast<float>(std::pow(static_cast<double>(i) / static_cast<double>(count), power)));
  return Tensor::of({count}, values);
}

Tensor first_decay(Index hidden) {
  std::vector<float> values;
  const auto last = static_cast<double>(std::max<Index>(hidden - 1, 1));
  for (Index i = 0; i < hidden; ++i)
    values.push_back(static_cast<float>(-5.0 + 8.0 * std::pow(static_cast<double>(i) / last, 0.7)));
  return Tensor::of({hidden}, values);
}

Tensor first_bonus(Index hidden) {
  std::vector<float> values;
  for (Index i = 0; i < hidden; ++i)
    values.push_back(
        static_cast<float>(std::log(0.3) + 0.5 * static_cast<double>((i + 1) % 3 - 1)));
  return Tensor::of({hidden}, values);
}

constexpr auto shift = [](auto x, auto previous, auto r, auto k, auto v) {
  const auto step = x - previous;
  return std::tuple{previous + r * step, previous + k * step, previous + v * step};
};
constexpr auto read = [](auto r, auto k, auto v, auto aa, auto bb, auto pp, auto bonus) {
  const auto now = bonus + k;
  const auto most = maximum(pp, now);
  const auto old_weight = exp(pp - most), new_weight = exp(now - most);
  return sigmoid(r) * (old_weight * aa + new_weight * v) / (old_weight * bb + new_weight);
};
constexpr auto store = [](auto k, auto v, auto aa, auto bb, auto pp, auto decay) {
  const auto decayed = pp - exp(decay);
  const auto most = maximum(decayed, k);
  const auto old_weight = exp(decayed - most), new_weight = exp(k - most);
  return std::tuple{old_weight * aa + new_weight * v, old_weight * bb + new_weight, most};
};

}  // namespace

RWKV4::RWKV4(Index inputs, Index hidden)
    : Cell(inputs, {inputs, hidden, hidden, hidden}),
      mix_r_(parameter("mix_r", ramp(inputs, 0.5))),
      mix_k_(parameter("mix_k", ramp(inputs, 1.0))),
      mix_v_(parameter("mix_v", ramp(inputs, 1.0))),
      decay_(parameter("decay", first_decay(hidden))),
      bonus_(parameter("bonus", first_bonus(hidden))),
      receptance_(add("receptance", Linear(inputs, hidden, {.bias = false}))),
      key_(add("key", Linear(inputs, hidden, {.bias = false}))),
      value_(add("value", Linear(inputs, hidden, {.bias = false}))),
      output_(add("output", Linear(hidden, hidden, {.bias = false}))) {}

State RWKV4::initial_state(Index batch, Dtype dtype) const {
  State state = Cell::initial_state(batch, dtype);
  state[3] = full(state[3].shape(), kNothingStored, dtype);
  return state;
}

RWKV4::Mixed RWKV4::mix(const Variable& x, const Variable& previous) const {
  const auto [r, k, v] = pointwise("rwkv4_shift", shift, x, previous, mix_r_, mix_k_, mix_v_);
  return {receptance_(r), key_(k), value_(v)};
}

/// sigmoid(r) wkv, and the state after it, but for the x in it.
Step RWKV4::attend(const Mixed& mixed, const State& state) const {
  const auto& [r, k, v] = mixed;
  const Variable y = pointwise("rwkv4", read, r, k, v, state[1], state[2], state[3], bonus_);
  const auto [aa, bb, pp] =
      pointwise("rwkv4_state", store, k, v, state[1], state[2], state[3], decay_);
  return Step(y, {state[0], aa, bb, pp});
}

Step RWKV4::step(const Variable& x, const State& state) const {
  auto [y, next] = attend(mix(x, state[0]), state);
  next[0] = x;
  return Step(output_(y), std::move(next));
}

std::optional<Sequence> RWKV4::run(const Variable& x, const State& state,
                                   const RunOptions& options) const {
  if (options.reverse || !options.lengths.empty() || options.resets.defined()) return std::nullopt;
  const Index steps = x.size(0);
  const Mixed mixed = mix(x, concat({unsqueeze(state[0], 0), slice(x, 0, 0, steps - 1)}, 0));
  State current = state;
  std::vector<Variable> outputs;
  for (Index t = 0; t < steps; ++t) {
    auto [y, next] =
        attend({select(mixed.r, 0, t), select(mixed.k, 0, t), select(mixed.v, 0, t)}, current);
    outputs.push_back(std::move(y));
    current = std::move(next);
  }
  current[0] = select(x, 0, steps - 1);
  return Sequence{output_(stack(outputs)), std::move(current)};
}

}  // namespace unroll::nn
