#include <autograd/ops/check.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/layers/embedding.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace unroll::nn {
namespace {

Shape table_shape(Index count, Index size, const EmbeddingOptions& options) {
  if (count < 1 || size < 1)
    throw ArgumentError("embedding: count and size must be at least 1, got " +
                        std::to_string(count) + " and " + std::to_string(size));
  if (const auto padding = options.padding_index; padding && (*padding < 0 || *padding >= count))
    throw ArgumentError("embedding: the padding index must lie in 0.." + std::to_string(count - 1) +
                        ", it is " + std::to_string(*padding));
  if (const auto norm = options.max_norm; norm && !(*norm > 0.0))
    throw ArgumentError("embedding: the maximal norm must be positive, it is " +
                        std::to_string(*norm) + "; leave it out for no limit");
  return {count, size};
}

Tensor initial_table(Index count, Index size, const EmbeddingOptions& options) {
  Tensor table = normal(table_shape(count, size, options), 0.0, 1.0);
  if (options.padding_index) {
    Tensor row = table.select(0, *options.padding_index);
    kernels::fill(row, 0.0);
  }
  return table;
}

/// Scales the rows at `flat: [n]` that are longer than `limit` to it.
void limit_rows(Parameter table, const Tensor& flat, double limit) {
  // Rounding leaves a scaled row within a millionth of the limit. Such a row is left alone: a
  // segment that is run again for its gradient must look up what it has looked up before.
  const double most = limit * (1.0 + 1e-6);
  dispatch_floating(table.dtype(), [&]<class T>(T) {
    const Index size = table.shape()[1];
    const auto factor = [&](const T* row) {
      double squares = 0.0;
      for (Index d = 0; d < size; ++d) squares += double{row[d]} * double{row[d]};
      const double length = std::sqrt(squares);
      return length > most ? limit / length : 1.0;
    };
    const auto* index = flat.data<std::int64_t>();
    std::vector<Index> rows;
    {
      const Tensor current = table.value().contiguous();  // gone when the table is written to
      for (Index k = 0; k < flat.size(); ++k)
        if (factor(current.data<T>() + index[k] * size) < 1.0) rows.push_back(index[k]);
    }
    if (rows.empty()) return;
    T* elements = table.mutable_value().template mutable_data<T>();
    for (const Index r : rows) {
      T* row = elements + r * size;
      const double scale = factor(row);  // 1 for a row that has been scaled already
      for (Index d = 0; d < size; ++d) row[d] = static_cast<T>(row[d] * scale);
    }
  });
}

/// The positions in `flat: [n]` that hold another index than `excluded`.
Tensor positions_of_others(const Tensor& flat, Index excluded) {
  const auto* index = flat.data<std::int64_t>();
  std::vector<std::int64_t> positions;
  for (Index k = 0; k < flat.size(); ++k)
    if (index[k] != excluded) positions.push_back(k);
  return Tensor::of({static_cast<Index>(positions.size())}, positions);
}

/// The rows of a table as `embedding` returns them, without a gradient for one of them.
Variable embedding_without(const Variable& table, const Tensor& indices, Index excluded) {
  Variable y = embedding(table.value(), indices);
  if (!recording("embedding", table)) return y;
  const Tensor flat = indices.contiguous().reshape({-1});
  const Tensor kept = positions_of_others(flat, excluded);
  const Tensor rows = gather(flat, kept, 0).value();
  return record("embedding", y.value(),
                [table = table.without_value(), kept, rows, count = flat.size()](
                    const Variable& g, BackwardPass& pass) {
                  if (rows.size() == 0) return;
                  const Variable of_rows = reshape(g, {count, table.size(1)});
                  pass.add_rows(table, rows, embedding(of_rows, kept));
                });
}

}  // namespace

Embedding::Embedding(Index count, Index size, const EmbeddingOptions& options)
    : options_(options), weight_(parameter("weight", initial_table(count, size, options))) {}

Variable Embedding::operator()(const Tensor& indices) const {
  const Scope inside = scope();
  if (options_.max_norm) {
    detail::check_indices("embedding", "indices", indices, weight_.shape()[0]);
    limit_rows(weight_, indices.contiguous().reshape({-1}), *options_.max_norm);
  }
  if (options_.padding_index) return embedding_without(weight_, indices, *options_.padding_index);
  return embedding(weight_, indices);
}

}  // namespace unroll::nn
