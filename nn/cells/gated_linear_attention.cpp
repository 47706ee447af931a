#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/gated_linear_attention.hpp>
#include <nn/recurrent/memory_scan.hpp>

#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

const GatedLinearAttentionOptions& checked(const GatedLinearAttentionOptions& options) {
  if (options.gate_rank < 1)
    throw ArgumentError("GatedLinearAttention: gate_rank must be at least 1, it is " +
                        std::to_string(options.gate_rank));
  if (!(options.temperature > 0.0) || !std::isfinite(options.temperature))
    throw ArgumentError("GatedLinearAttention: temperature must be positive and finite, it is " +
                        std::to_string(options.temperature));
  return options;
}

constexpr auto store = [](auto memory, auto alpha, auto key, auto value) {
  return alpha * memory + key * value;
};

}  // namespace

GatedLinearAttention::GatedLinearAttention(Index inputs, Index keys, Index values,
                                           const GatedLinearAttentionOptions& options)
    : Cell(inputs, {{keys, values}}),
      keys_(keys),
      values_(values),
      options_(checked(options)),
      qkv_(add("qkv", Linear(inputs, 2 * keys + values, {.bias = false}))),
      gate_down_(add("gate_down", Linear(inputs, options.gate_rank, {.bias = false}))),
      gate_up_(add("gate_up", Linear(options.gate_rank, keys))) {}

Variable GatedLinearAttention::log_decay(const Variable& x) const {
  return pointwise(
      "gated_linear_attention_gate",
      [power = 1.0 / options_.temperature](auto z) { return power * log_sigmoid(z); },
      gate_up_(gate_down_(x)));
}

Variable GatedLinearAttention::project(const Variable& x) const {
  return concat({qkv_(x), exp(log_decay(x))});
}

Step GatedLinearAttention::step(const Variable& x, const State& state) const {
  const std::array<Index, 4> sizes{keys_, keys_, values_, keys_};
  const std::vector<Variable> parts = split(x, sizes);
  const Variable memory =
      pointwise("gated_linear_attention", store, state[0], unsqueeze(parts[3], 2),
                unsqueeze(parts[1], 2), unsqueeze(parts[2], 1));
  return Step(squeeze(matmul(unsqueeze(parts[0], 1), memory), 1), {memory});
}

std::optional<Sequence> GatedLinearAttention::run(const Variable& x, const State& state,
                                                  const RunOptions& options) const {
  const std::array<Index, 3> sizes{keys_, keys_, values_};
  const std::vector<Variable> parts = split(qkv_(x), sizes);
  auto [outputs, memory] = memory_scan(
      {.queries = parts[0], .keys = parts[1], .values = parts[2], .log_decay = log_decay(x)},
      state[0], options);
  return Sequence{std::move(outputs), {std::move(memory)}};
}

}  // namespace unroll::nn
