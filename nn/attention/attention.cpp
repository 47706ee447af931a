#include <autograd/ops/check.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/attention/attention.hpp>

#include <string>
#include <utility>

namespace unroll::nn {

AttentionSource AttentionSource::sequences(const Tensor& indices) const {
  return {index_select(keys, indices, 0), index_select(values, indices, 0),
          mask.sequences(indices)};
}

Attention::Attention(Index queries, Index source) : queries_(queries), source_(source) {
  if (queries < 1 || source < 1)
    throw ArgumentError("attention: the sizes of queries and source must be at least 1, got " +
                        std::to_string(queries) + " and " + std::to_string(source));
}

Attended Attention::operator()(const Variable& queries, const Variable& source,
                               const AttentionOptions& options) const {
  const Scope inside = scope();
  const Index batch = check_source(source);
  check_queries(queries, batch);
  detail::check_same_dtype("attention", {{"queries", queries}, {"source", source}});
  const AttentionMask mask("attention", {batch, queries.size(0), source.size(0)}, options);
  return (*this)(queries, prepared(source, mask));
}

AttentionSource Attention::prepare(const Variable& source,
                                   const std::vector<Index>& lengths) const {
  const Scope inside = scope();
  const Index batch = check_source(source);
  return prepared(source,
                  AttentionMask("attention", {batch, 1, source.size(0)}, {.lengths = lengths}));
}

Attended Attention::operator()(const Variable& queries, const AttentionSource& source) const {
  const Scope inside = scope();
  detail::check_defined("attention", {"the source", source.values});
  check_queries(queries, source.values.size(0));
  const Variable weights = source.mask.weights(scores(transpose(queries, 0, 1), source.keys));
  return {transpose(matmul(weights, source.values), 0, 1), weights};
}

AttentionSource Attention::prepared(const Variable& source, AttentionMask mask) const {
  const Variable values = mask.clear(transpose(source, 0, 1));
  return {keys(values), values, std::move(mask)};
}

Index Attention::check_source(const Variable& source) const {
  if (!source.defined() || source.rank() != 3 || source.size(2) != source_)
    throw ShapeError("attention: the source is " + describe(source.value()) +
                     ", this attention reads [K,B," + std::to_string(source_) + "]");
  return source.size(1);
}

void Attention::check_queries(const Variable& queries, Index batch) const {
  if (!queries.defined() || queries.rank() != 3 || queries.size(1) != batch ||
      queries.size(2) != queries_)
    throw ShapeError("attention: the queries are " + describe(queries.value()) +
                     ", this attention and source need [Q," + std::to_string(batch) + "," +
                     std::to_string(queries_) + "]");
}

}  // namespace unroll::nn
