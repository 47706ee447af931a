#pragma once

#include <nn/attention/mask.hpp>
#include <nn/layers/dropout.hpp>
#include <nn/layers/linear.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

struct MultiHeadAttentionOptions {
  bool bias = true;      ///< of all four projections
  double dropout = 0.0;  ///< rate, of the weights
};

/// Multi-head attention (Vaswani et al., Attention is all you need, 2017, section 3.2.2): scaled
/// dot-product attention of each head on projections of its own, of size E / heads.
///
///     head_i = Attention(q W_qi^T + b_qi, k W_ki^T + b_ki, v W_vi^T + b_vi)
///     y = concat(head_1, ..., head_n) W_o^T + b_o
///
/// Parameters as in PyTorch: `in_proj_weight: [3E,E]` with rows in the order query, key, value,
/// those of head 1 first, `in_proj_bias: [3E]`, `out_proj.weight: [E,E]`, `out_proj.bias: [E]`.
/// `in_proj_weight` is Xavier uniform at first, biases are 0.
///
/// `queries: [Q,B,E]`, `keys` and `values: [K,B,E]`; values `[Q,B,E]`, weights `[B,heads,Q,K]`: of
/// every head, before dropout. A mask or bias broadcasts to these: `[B,1,1,K]` for all heads and
/// queries. Throws ShapeError when shapes do not fit, DtypeError, ArgumentError for no keys; more
/// in AttentionOptions.
class MultiHeadAttention : public Module {
 public:
  /// `size`: E. Throws ArgumentError when a number is below 1, `heads` does not divide `size`, or
  /// the rate is outside 0..1.
  MultiHeadAttention(Index size, Index heads, const MultiHeadAttentionOptions& options = {});

  Attended operator()(const Variable& queries, const Variable& keys, const Variable& values,
                      const AttentionOptions& options = {}) const;
  /// Self-attention: queries, keys and values are `x: [T,B,E]`. Past its end a sequence returns
  /// zeros, and what x holds there does not matter.
  Attended operator()(const Variable& x, const AttentionOptions& options = {}) const;

 private:
  Variable project(const Variable& x, Index first, Index count) const;
  Variable per_head(const Variable& x) const;
  Attended attend(const AttentionMask& mask, const Variable& queries, const Variable& keys,
                  const Variable& values) const;

  Index size_, heads_;
  Parameter in_proj_weight_;
  std::optional<Parameter> in_proj_bias_;
  Linear out_proj_;
  Dropout dropout_;
};

}  // namespace unroll::nn
