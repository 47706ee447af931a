#pragma once

#include <nn/attention/attention.hpp>

namespace unroll::nn {

/// Scaled dot-product attention (Vaswani et al., Attention is all you need, 2017, equation 1), for
/// queries and keys of size D:
///
///     Attention(Q, K, V) = softmax(Q K^T / sqrt(D)) V
///
/// `queries: [...,Q,D]`, `keys: [...,K,D]`, `values: [...,K,V]`, of equal leading axes, the batch
/// first; values `[...,Q,V]`, weights `[...,Q,K]`. Throws ShapeError when they do not fit,
/// DtypeError, ArgumentError for no keys; more in AttentionOptions.
Attended scaled_dot_product_attention(const Variable& queries, const Variable& keys,
                                      const Variable& values, const AttentionOptions& options = {});

/// The same as a module without parameters, for queries and a source of one size, which is both
/// keys and values.
class DotProductAttention : public Attention {
 public:
  /// Throws ArgumentError when the size is below 1.
  explicit DotProductAttention(Index size) : Attention(size, size) {}

  Variable scores(const Variable& queries, const Variable& keys) const override;
};

}  // namespace unroll::nn
