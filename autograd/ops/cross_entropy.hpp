#pragma once

#include <autograd/ops/loss.hpp>
#include <autograd/tape/variable.hpp>

/// Losses over classes: the last axis of the input counts the classes, the other axes, none or
/// several, count the rows. `targets` holds the class of each row, int64, with the shape of the
/// rows. Reduction::none gives that shape. As in PyTorch, the mean is weighted: the losses of the
/// rows are added and divided by the sum of the weights of their targets.
///
/// Throws ShapeError when shapes differ or there are no rows to average, ArgumentError for a target
/// outside 0..C-1 and when all rows that there are do not count, DtypeError.
namespace unroll {

/// Options of nll_loss.
struct NllOptions {
  Tensor weights = {};        ///< [C], floating: how much each class counts; 1 when left out
  Index ignore_index = -100;  ///< a target that is no class: its row has loss and gradient 0
  Reduction reduction = Reduction::mean;
};

/// - weights[target] log_p[target] of every row: `log_p: [...,C]`, logarithms of probabilities,
/// `targets: [...]`. cross_entropy does both in one pass; this is for log-probabilities that are
/// needed anyway, or come from elsewhere.
Variable nll_loss(const Variable& log_p, const Tensor& targets, const NllOptions& options = {});

struct CrossEntropyOptions {
  Tensor weights = {};        ///< [C], floating: how much each class counts; 1 when left out
  Index ignore_index = -100;  ///< a target that is no class: its row has loss and gradient 0
  /// This share of each target, 0..1, is spread evenly over all classes (Szegedy et al., 2016). A
  /// class's part is weighted with the weight of that class, and the mean's divisor is as without.
  double label_smoothing = 0.0;
  Reduction reduction = Reduction::mean;
};

/// - log softmax(logits)[target] of every row, in nats: `logits: [...,C]`, `targets: [...]`. No
/// overflow, and no loss of digits for large logits. Forward and backward are one pass over memory
/// each; nothing of the size of the logits is saved beside them.
Variable cross_entropy(const Variable& logits, const Tensor& targets,
                       const CrossEntropyOptions& options = {});

}  // namespace unroll
