#pragma once

#include <nn/attention/attention.hpp>

namespace unroll::nn {

/// Multiplicative attention (Luong, Pham and Manning, Effective approaches to attention-based
/// neural machine translation, 2015, equation 8, general):
///
///     score(q, h) = q . W h
///
/// Parameter `weight: [D,S]`, uniform over +-1/sqrt(S) at first.
class MultiplicativeAttention : public Attention {
 public:
  /// Throws ArgumentError when a size is below 1.
  MultiplicativeAttention(Index queries, Index source);

  Variable keys(const Variable& source) const override;
  Variable scores(const Variable& queries, const Variable& keys) const override;

 private:
  Parameter weight_;
};

}  // namespace unroll::nn
