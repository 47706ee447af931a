#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/lengths.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/attention/multi_head_attention.hpp>
#include <nn/init.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

constexpr const char* kName = "multi_head_attention";

Index checked_size(Index size, Index heads) {
  if (size < 1 || heads < 1 || size % heads != 0)
    throw ArgumentError("MultiHeadAttention: heads must divide size, both at least 1, got size " +
                        std::to_string(size) + " and " + std::to_string(heads) + " heads");
  return size;
}

void check(Index size, const Variable& queries, const Variable& keys, const Variable& values) {
  detail::check_same_dtype(kName, {{"queries", queries}, {"keys", keys}, {"values", values}});
  const auto fits = [&](const Variable& x) {
    return x.rank() == 3 && x.size(1) == queries.size(1) && x.size(2) == size;
  };
  if (fits(queries) && fits(keys) && keys.shape() == values.shape()) return;
  const std::string end = ",B," + std::to_string(size) + "]";
  throw ShapeError(std::string(kName) + ": queries " + to_string(queries.shape()) + ", keys " +
                   to_string(keys.shape()) + " and values " + to_string(values.shape()) +
                   " must be [Q" + end + ", [K" + end + " and [K" + end);
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(Index size, Index heads,
                                       const MultiHeadAttentionOptions& options)
    : size_(checked_size(size, heads)),
      heads_(heads),
      in_proj_weight_(parameter("in_proj_weight", init::xavier_uniform({3 * size, size}))),
      out_proj_(add("out_proj", Linear(size, size, {.bias = options.bias}))),
      dropout_(add("dropout", Dropout(options.dropout))) {
  if (!options.bias) return;
  in_proj_bias_ = parameter("in_proj_bias", zeros({3 * size}));
  Parameter out_bias = *out_proj_.bias();
  out_bias.set(zeros({size}));
}

Attended MultiHeadAttention::operator()(const Variable& queries, const Variable& keys,
                                        const Variable& values,
                                        const AttentionOptions& options) const {
  const Scope inside = scope();
  check(size_, queries, keys, values);
  const AttentionMask mask(kName, {queries.size(1), heads_, queries.size(0), keys.size(0)},
                           options);
  const auto cleared = [&](const Variable& x) {
    return transpose(mask.clear(transpose(x, 0, 1)), 0, 1);
  };
  return attend(mask, project(queries, 0, 1), project(cleared(keys), 1, 1),
                project(cleared(values), 2, 1));
}

Attended MultiHeadAttention::operator()(const Variable& x, const AttentionOptions& options) const {
  const Scope inside = scope();
  check(size_, x, x, x);
  const AttentionMask mask(kName, {x.size(1), heads_, x.size(0), x.size(0)}, options);
  const Tensor running =
      options.lengths.empty()
          ? Tensor()
          : detail::running_steps(x.size(0), options.lengths, x.dtype()).unsqueeze(-1);
  const auto cleared = [&](const Variable& steps) {
    return running.defined() ? where(running, steps, 0.0) : steps;
  };
  const auto [queries, keys, values] = split<3>(project(cleared(x), 0, 3));
  auto [outputs, weights] = attend(mask, queries, keys, values);
  return {cleared(outputs), weights};
}

/// The projections first, ..., first + count - 1 of query, key and value, side by side.
Variable MultiHeadAttention::project(const Variable& x, Index first, Index count) const {
  const auto rows = [&](const Parameter& of) {
    return slice(of, 0, first * size_, (first + count) * size_);
  };
  return linear(x, rows(in_proj_weight_), in_proj_bias_ ? rows(*in_proj_bias_) : Variable());
}

/// `[T,B,E]` to `[B,heads,T,E / heads]`.
Variable MultiHeadAttention::per_head(const Variable& x) const {
  return permute(reshape(x, {x.size(0), x.size(1), heads_, size_ / heads_}), {1, 2, 0, 3});
}

Attended MultiHeadAttention::attend(const AttentionMask& mask, const Variable& queries,
                                    const Variable& keys, const Variable& values) const {
  const Index size_per_head = size_ / heads_;
  const double scale = 1.0 / std::sqrt(static_cast<double>(size_per_head));
  const Variable scores = matmul(per_head(queries) * scale, transpose(per_head(keys)));
  Variable weights = mask.weights(scores);
  const Variable read = matmul(dropout_(weights), per_head(values));
  return {out_proj_(reshape(permute(read, {2, 0, 1, 3}), queries.shape())), weights};
}

}  // namespace unroll::nn
