#pragma once

#include <autograd/tape/variable.hpp>

/// Losses that compare element with element, and vector with vector. x and targets: one shape and
/// dtype, float32 or float64; a target of another shape is refused, since one that broadcasts by
/// accident is the usual cause of a loss that does not fall. Losses over classes stand in
/// cross_entropy.hpp, that over sequences without alignment in ctc.hpp. Throws ShapeError,
/// DtypeError, ArgumentError.
namespace unroll {

/// What becomes of the losses of the elements, or of the rows: they stay apart, or are averaged or
/// added up to a scalar. The mean of nothing throws ShapeError.
enum class Reduction { none, mean, sum };

/// Options of losses that only reduce.
struct LossOptions {
  Reduction reduction = Reduction::mean;
};

/// (x - target)^2, of each element: `mean` averages over the elements, not the rows.
Variable mse_loss(const Variable& x, const Variable& targets, const LossOptions& options = {});

/// |x - target|, with derivative 0 where they are equal, a kink.
Variable l1_loss(const Variable& x, const Variable& targets, const LossOptions& options = {});

/// Options of huber_loss.
struct HuberOptions {
  double delta = 1.0;  ///< above 0
  Reduction reduction = Reduction::mean;
};

/// d^2 / 2 for d = |x - target| up to delta, delta (d - delta / 2) above (Huber, 1964). The slope
/// has a kink at delta.
Variable huber_loss(const Variable& x, const Variable& targets, const HuberOptions& options = {});

/// -t ln x - (1 - t) ln(1 - x) for probabilities x; NaN outside 0..1. A logarithm below -100 counts
/// as -100, as in PyTorch, and has the derivative 0: a wrong x of exactly 0 or 1 does not learn.
/// Prefer logits.
Variable binary_cross_entropy(const Variable& x, const Variable& targets,
                              const LossOptions& options = {});

/// Options of binary_cross_entropy_with_logits.
struct BinaryLogitsOptions {
  Tensor pos_weight =
      {};  ///< factor of the term of t; broadcasts to the shape of x; 1 when left out
  Reduction reduction = Reduction::mean;
};

/// The same from logits, for the probability y = sigmoid(x): -t ln y - (1 - t) ln(1 - y), without
/// overflow or loss of digits. Its derivative is y - t.
Variable binary_cross_entropy_with_logits(const Variable& x, const Variable& targets,
                                          const BinaryLogitsOptions& options = {});

/// Options of kl_div.
struct KlOptions {
  bool log_target = false;  ///< the targets are logarithms too
  Reduction reduction = Reduction::mean;
};

/// t (ln t - x) for logarithms of probabilities x and probabilities t, 0 where t is 0: their sum is
/// the Kullback-Leibler divergence of x from t. `mean` averages over the elements, as in PyTorch; a
/// mean over rows is the sum divided by their number.
Variable kl_div(const Variable& x, const Variable& targets, const KlOptions& options = {});

/// Options of hinge_loss.
struct HingeOptions {
  double margin = 1.0;
  Reduction reduction = Reduction::mean;
};

/// max(0, margin - t x), with derivative 0 at the kink. `targets`: 1 or -1, any dtype, the shape of
/// x; another number throws ArgumentError.
Variable hinge_loss(const Variable& x, const Tensor& targets, const HingeOptions& options = {});

/// The cosine of the angle between a and b along an axis, which is dropped; shapes that broadcast.
/// A vector shorter than epsilon counts as that long: cosine 0 for a zero vector.
Variable cosine_similarity(const Variable& a, const Variable& b, int axis = -1,
                           double epsilon = 1e-8);

/// Options of cosine_embedding_loss.
struct CosineEmbeddingOptions {
  double margin = 0.0;  ///< -1..1
  Reduction reduction = Reduction::mean;
};

/// 1 - cos for pairs that belong together (target 1), max(0, cos - margin) for those that do not
/// (target -1), with derivative 0 at the kink. `a, b: [...,D]`, `targets: [...]`, any dtype.
Variable cosine_embedding_loss(const Variable& a, const Variable& b, const Tensor& targets,
                               const CosineEmbeddingOptions& options = {});

namespace detail {
Variable reduce(const char* operation, const Variable& losses, Reduction reduction);
}  // namespace detail

}  // namespace unroll
