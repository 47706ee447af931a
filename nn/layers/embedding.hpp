#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

/// Options of Embedding.
struct EmbeddingOptions {
  /// The symbol that fills up short sequences: its row is zero at first and gets no gradient.
  std::optional<Index> padding_index = {};
  /// A row that is looked up and longer than this, by the Euclidean norm, is scaled to it first.
  std::optional<double> max_norm = {};
};

/// A learned vector for each of `count` symbols. Parameter `weight: [count,size]`, standard normal
/// at first, as in PyTorch. Its gradient stays a list of rows.
///
/// With a `max_norm`, a lookup changes the parameter, as in PyTorch: outside the tape, and in
/// evaluation too. Gradients are those at the scaled rows; a second lookup scales nothing. Threads
/// must not look up at the same time.
class Embedding : public Module {
 public:
  /// Throws ArgumentError when a size is below 1, for a padding index outside 0..count-1 and a
  /// maximal norm that is not positive.
  Embedding(Index count, Index size, const EmbeddingOptions& options = {});

  /// `indices: [...]` int64, result `[...,size]`. Throws ArgumentError for an index outside
  /// 0..count-1.
  Variable operator()(const Tensor& indices) const;

  const Parameter& weight() const { return weight_; }

 private:
  EmbeddingOptions options_;
  Parameter weight_;
};

}  // namespace unroll::nn
