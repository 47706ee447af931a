#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/layers/linear.hpp>
#include <nn/layers/sequential.hpp>
#include <nn/module.hpp>

#include <vector>

namespace unroll::nn {

/// Options of AdaptiveSoftmax.
struct AdaptiveSoftmaxOptions {
  double div_value = 4.0;  ///< each cluster is projected to this many times fewer values
  bool head_bias = false;
};

/// What AdaptiveSoftmax returns: `auto [log_p, loss] = softmax(h, targets)`.
struct AdaptiveSoftmaxResult {
  Variable log_p;  ///< of the target of each row, `[...]`
  Variable loss;   ///< - mean log_p, a scalar
};

/// Adaptive softmax for large vocabularies (Grave et al., Efficient softmax approximation for GPUs,
/// 2017, section 4), as in PyTorch's AdaptiveLogSoftmaxWithLoss. Classes are sorted by falling
/// frequency. Those below the first cutoff are in the head, which also has one entry for each
/// cluster of rarer classes:
///
///     log p(c) = log softmax(W_head h)_c                                        c < cutoffs[0]
///     log p(c) = log softmax(W_head h)_{cutoffs[0] + i}
///                + log softmax(W_i V_i h)_{c - cutoffs[i]}      cutoffs[i] <= c < cutoffs[i + 1]
///
/// The last cluster ends at `classes`. A cluster is computed only for the rows whose target is in
/// it, and V_i projects to inputs / div_value^(i+1) values, rounded down. Parameters, as in
/// PyTorch, for n clusters: `head.weight: [cutoffs[0] + n,inputs]`, `head.bias` if wanted,
/// `tail.<i>.0.weight`, V_i, and `tail.<i>.1.weight`, W_i, drawn as in Linear.
class AdaptiveSoftmax : public Module {
 public:
  /// Throws ArgumentError when a size is below 1, when there are no cutoffs or they do not rise
  /// within 1..classes-1, and when div_value leaves nothing of the inputs.
  AdaptiveSoftmax(Index inputs, Index classes, const std::vector<Index>& cutoffs,
                  const AdaptiveSoftmaxOptions& options = {});

  /// `h: [...,inputs]`, `targets: [...]` int64. Throws ShapeError for other shapes, or no rows;
  /// ArgumentError for a target outside 0..classes-1; DtypeError.
  AdaptiveSoftmaxResult operator()(const Variable& h, const Tensor& targets) const;

  /// Of all classes: `[...,classes]`.
  Variable log_prob(const Variable& h) const;

  /// The most probable class of each row, `[...]` int64: argmax of log_prob, but clusters are
  /// computed only for rows where one of them could win.
  Tensor predict(const Variable& h) const;

 private:
  Index begin(std::size_t cluster) const { return cutoffs_[cluster]; }
  Index end(std::size_t cluster) const { return cutoffs_[cluster + 1]; }
  /// `h: [...,inputs]` as rows `[n,inputs]`.
  Variable rows_of(const Variable& h) const;
  Variable log_prob_of_rows(const Variable& rows, const Variable& head_log_p) const;

  Index inputs_;
  std::vector<Index> cutoffs_;  // and the number of classes behind them
  Linear head_;
  std::vector<Sequential> tail_;
};

}  // namespace unroll::nn
