#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/attention/dot_product_attention.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

constexpr const char* kName = "scaled_dot_product_attention";

void check(const Variable& queries, const Variable& keys, const Variable& values) {
  detail::check_same_dtype(kName, {{"queries", queries}, {"keys", keys}, {"values", values}});
  const int rank = queries.rank();
  bool fits = rank >= 2 && keys.rank() == rank && values.rank() == rank &&
              queries.size(-1) == keys.size(-1) && keys.size(-2) == values.size(-2);
  for (int axis = 0; fits && axis < rank - 2; ++axis)
    fits = queries.size(axis) == keys.size(axis) && queries.size(axis) == values.size(axis);
  if (!fits)
    throw ShapeError(std::string(kName) + ": queries " + to_string(queries.shape()) + ", keys " +
                     to_string(keys.shape()) + " and values " + to_string(values.shape()) +
                     " must be [...,Q,D], [...,K,D] and [...,K,V] of equal leading axes");
}

Variable scaled_scores(const Variable& queries, const Variable& keys) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(queries.size(-1)));
  return matmul(queries * scale, transpose(keys));
}

}  // namespace

Attended scaled_dot_product_attention(const Variable& queries, const Variable& keys,
                                      const Variable& values, const AttentionOptions& options) {
  check(queries, keys, values);
  Shape shape = queries.shape();
  shape[shape.rank() - 1] = keys.size(-2);
  const AttentionMask mask(kName, shape, options);
  const Variable weights = mask.weights(scaled_scores(queries, mask.clear(keys)));
  return {matmul(weights, mask.clear(values)), weights};
}

Variable DotProductAttention::scores(const Variable& queries, const Variable& keys) const {
  return scaled_scores(queries, keys);
}

}  // namespace unroll::nn
