#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/delta_net.hpp>
#include <nn/recurrent/memory_scan.hpp>

#include <array>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

/// norm(silu(x)) of the vectors along the last axis.
Variable features(const Variable& x) {
  const Variable u = pointwise(
      "delta_net_silu", [](auto a) { return a * sigmoid(a); }, x);
  return pointwise(
      "delta_net_norm", [](auto a, auto squares) { return a * rsqrt(squares + 1e-6); }, u,
      sum(square(u), {-1}, true));
}

bool all_finite(const Variable& x) {
  return all_true(is_finite(x)).to(Dtype::float64).item() != 0.0;
}

constexpr auto correction = [](auto rate, auto value, auto stored) {
  return rate * (value - stored);
};
constexpr auto store = [](auto memory, auto key, auto change) { return memory + key * change; };

}  // namespace

DeltaNet::DeltaNet(Index inputs, Index keys, Index values)
    : Cell(inputs, {{keys, values}}),
      keys_(keys),
      values_(values),
      qkv_(add("qkv", Linear(inputs, 2 * keys + values, {.bias = false}))),
      rate_(add("rate", Linear(inputs, 1))) {}

DeltaNet::Parts DeltaNet::parts_of(const Variable& x) const {
  const std::array<Index, 3> sizes{keys_, keys_, values_};
  const std::vector<Variable> parts = split(qkv_(x), sizes);
  return {features(parts[0]), features(parts[1]), parts[2], sigmoid(rate_(x))};
}

Variable DeltaNet::project(const Variable& x) const {
  const auto [queries, keys, values, rates] = parts_of(x);
  return concat({queries, keys, values, rates});
}

Step DeltaNet::step(const Variable& x, const State& state) const {
  const std::array<Index, 4> sizes{keys_, keys_, values_, 1};
  const std::vector<Variable> parts = split(x, sizes);
  const Variable stored = squeeze(matmul(unsqueeze(parts[1], 1), state[0]), 1);
  const Variable change = pointwise("delta_net_rule", correction, parts[3], parts[2], stored);
  const Variable memory =
      pointwise("delta_net", store, state[0], unsqueeze(parts[1], 2), unsqueeze(change, 1));
  return Step(squeeze(matmul(unsqueeze(parts[0], 1), memory), 1), {memory});
}

std::optional<Sequence> DeltaNet::run(const Variable& x, const State& state,
                                      const RunOptions& options) const {
  const auto [queries, keys, values, rates] = parts_of(x);
  // What diverged must show as NaN, as it does in steps, and not as an error of a linear system.
  for (const Variable* part : {&keys, &values, &rates, &state[0]})
    if (!all_finite(*part)) return std::nullopt;
  auto [outputs, memory] = delta_scan(
      {.queries = queries, .keys = keys, .values = values, .rates = rates}, state[0], options);
  return Sequence{std::move(outputs), {std::move(memory)}};
}

}  // namespace unroll::nn
