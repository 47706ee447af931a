#pragma once

#include <nn/attention/mask.hpp>
#include <nn/module.hpp>

#include <vector>

namespace unroll::nn {

/// A source that attention reads again and again: what depends on it alone, computed once.
struct AttentionSource {
  Variable keys;    ///< [B,K,A]
  Variable values;  ///< [B,K,S]
  AttentionMask mask;

  /// The source of a batch that holds the sequences `indices: [n]`, int64, of this one.
  AttentionSource sequences(const Tensor& indices) const;
};

/// Content-based attention: a score of each key for each query, and the sum of the source weighted
/// with their softmax. To make one, derive from this class and write scores(), and keys() for what
/// depends on the source alone.
///
///     a_ij = softmax_j(score(q_i, h_j))        v_i = sum_j a_ij h_j
///
///     nn::AdditiveAttention attention(64, 128, 32);
///     auto [values, weights] = attention(queries, outputs, {.lengths = {7, 5, 2}});
///
/// `queries: [Q,B,D]` and `source: [K,B,S]`, time first, as recurrent layers return them; values
/// `[Q,B,S]`, weights `[B,Q,K]`. Throws ShapeError when they do not fit each other or the sizes,
/// DtypeError, and ArgumentError for no keys; more in AttentionOptions.
class Attention : public Module {
 public:
  /// `queries`: D; `source`: S. Throws ArgumentError when a size is below 1.
  Attention(Index queries, Index source);

  Index queries() const { return queries_; }
  Index source() const { return source_; }

  Attended operator()(const Variable& queries, const Variable& source,
                      const AttentionOptions& options = {}) const;

  /// For queries that come one after the other: `prepare` once, then `attention(query, prepared)`.
  AttentionSource prepare(const Variable& source, const std::vector<Index>& lengths = {}) const;
  Attended operator()(const Variable& queries, const AttentionSource& source) const;

  /// `source: [B,K,S]` to `[B,K,A]`. The default passes it on. A key depends on its own step alone.
  virtual Variable keys(const Variable& source) const { return source; }
  /// `queries: [B,Q,D]` and `keys: [B,K,A]` to `[B,Q,K]`. A score depends on its own query and key
  /// alone.
  virtual Variable scores(const Variable& queries, const Variable& keys) const = 0;

 private:
  AttentionSource prepared(const Variable& source, AttentionMask mask) const;
  Index check_source(const Variable& source) const;
  void check_queries(const Variable& queries, Index batch) const;

  Index queries_, source_;
};

}  // namespace unroll::nn
