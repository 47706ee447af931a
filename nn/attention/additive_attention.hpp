#pragma once

#include <nn/attention/attention.hpp>

namespace unroll::nn {

/// Additive attention (Bahdanau, Cho and Bengio, Neural machine translation by jointly learning to
/// align and translate, 2015, equations 5 and 6, and appendix A.1.2):
///
///     score(q, h) = v . tanh(W q + U h)
///
/// Parameters `weight_query: [A,D]`, W; `weight_source: [A,S]`, U; `vector: [A]`, v; uniform over
/// +-1/sqrt of their inputs at first, where the paper draws small normal ones and starts v at zero.
class AdditiveAttention : public Attention {
 public:
  /// `units`: A. Throws ArgumentError when a size is below 1.
  AdditiveAttention(Index queries, Index source, Index units);

  Variable keys(const Variable& source) const override;
  Variable scores(const Variable& queries, const Variable& keys) const override;

 private:
  Parameter weight_query_, weight_source_, vector_;
};

}  // namespace unroll::nn
