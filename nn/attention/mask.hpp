#pragma once

#include <autograd/tape/variable.hpp>

#include <vector>

namespace unroll::nn {

/// Which keys a query may read. Whatever excludes a key does: the options combine.
struct AttentionOptions {
  /// The number of keys that each sequence has, one entry a sequence, from 1 to K; empty: K all.
  std::vector<Index> lengths = {};
  /// Query i reads the keys 0..i alone. Needs as many queries as keys; for others give a mask.
  bool causal = false;
  /// 1 where a query may read a key, 0 elsewhere; any dtype. Broadcasts to the weights: `[Q,K]`
  /// for all sequences, `[B,1,K]` for all queries.
  Tensor mask = {};
  /// Added to the scores, of the dtype of the queries; -infinity excludes. Broadcasts to the
  /// weights. Gradients flow to it.
  Variable bias = {};
};

/// What attention returns: `auto [values, weights] = attention(queries, source)`.
struct Attended {
  Variable values;   ///< for each query the sum of the values, weighted
  Variable weights;  ///< of each key for each query; exactly 0 where excluded, rows sum to 1
};

/// The masks of one call, combined and checked. For implementing attention: clear() what the keys
/// and values are computed from, compute scores, and weight the values with weights().
///
/// A key that no query may read can hold anything, NaN included: its weights and gradients are
/// exactly 0. A NaN in a key that some queries may read reaches the others too.
class AttentionMask {
 public:
  /// Every query reads every key.
  AttentionMask() = default;
  /// `scores`: their shape, `[B,...,Q,K]`, or `[Q,K]` for one sequence. Messages begin with `name`.
  /// Throws ArgumentError when there are no keys, a query may read none, or a length lies outside
  /// 1..K; ShapeError for masks that do not broadcast to the scores, `causal` with Q unequal K, or
  /// another number of lengths than sequences.
  AttentionMask(const char* name, const Shape& scores, const AttentionOptions& options);

  /// `x: [B,...,K,D]` with zeros at the keys that no query reads.
  Variable clear(const Variable& x) const;
  /// softmax(scores + bias) over the keys that may be read. `scores: [B,...,Q,K]`.
  Variable weights(const Variable& scores) const;
  /// The mask of a batch that holds the sequences `indices: [n]`, int64, of this one.
  AttentionMask sequences(const Tensor& indices) const;

 private:
  void exclude(const Tensor& allowed);
  void check_every_query_reads(const char* name) const;

  Tensor allowed_;   // [.,...,.,K] of the rank of the scores, 0 or 1; undefined when all are 1
  Tensor readable_;  // [.,1,...,K,1]: keys that some query reads; undefined when all are
  Variable bias_;
};

}  // namespace unroll::nn
