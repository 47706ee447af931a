#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/attention/additive_attention.hpp>
#include <nn/init.hpp>

#include <string>

namespace unroll::nn {
namespace {

Index checked_units(Index units) {
  if (units < 1)
    throw ArgumentError("AdditiveAttention: units must be at least 1, got " +
                        std::to_string(units));
  return units;
}

}  // namespace

AdditiveAttention::AdditiveAttention(Index queries, Index source, Index units)
    : Attention(queries, source),
      weight_query_(parameter("weight_query",
                              init::pytorch_default({checked_units(units), queries}, queries))),
      weight_source_(parameter("weight_source", init::pytorch_default({units, source}, source))),
      vector_(parameter("vector", init::pytorch_default({units}, units))) {}

Variable AdditiveAttention::keys(const Variable& source) const {
  return linear(source, weight_source_);
}

Variable AdditiveAttention::scores(const Variable& queries, const Variable& keys) const {
  const Variable hidden = pointwise(
      "additive_attention", [](auto q, auto k) { return tanh(q + k); },
      unsqueeze(linear(queries, weight_query_), 2), unsqueeze(keys, 1));  // [B,Q,K,A]
  return squeeze(linear(hidden, unsqueeze(vector_, 0)), -1);
}

}  // namespace unroll::nn
