#pragma once

#include <autograd/ops/loss.hpp>
#include <autograd/tape/variable.hpp>

#include <vector>

namespace unroll {

struct CtcOptions {
  std::vector<Index> input_lengths = {};   ///< B numbers 1..T; empty: all T
  std::vector<Index> target_lengths = {};  ///< B numbers 0..S; empty: all S
  Index blank = 0;                         ///< the class that stands for no label
  /// A target that does not fit into its input has an infinite loss, with gradient 0; this makes
  /// the loss 0 too.
  bool zero_infinity = false;
  /// The mean divides each loss by the length of its target (1 for none), then averages over the
  /// sequences, as in PyTorch.
  Reduction reduction = Reduction::mean;
};

/// Connectionist temporal classification (Graves et al., 2006): minus the logarithm of the
/// probability of all the ways in which T steps can spell the labels of a shorter target, each
/// label held for one step or more, with blanks between, and always one between equal labels. For
/// sequences that are labelled, but not step by step. Only the first target_lengths[b] labels of
/// row b and the first input_lengths[b] steps are read.
///
/// `log_p: [T,B,C]`, logarithms of probabilities, as from log_softmax; `targets: [B,S]` int64.
/// Reduction::none gives `[B]`. Made of operations step by step, so the forward-backward algorithm
/// is the backward pass over the tape, and derivatives of higher order are there. Throws
/// ShapeError, DtypeError, ArgumentError for lengths, a blank, or a label outside, and for a label
/// that is the blank.
Variable ctc_loss(const Variable& log_p, const Tensor& targets, const CtcOptions& options = {});

}  // namespace unroll
