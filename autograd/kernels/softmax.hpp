#pragma once

#include <autograd/tensor/tensor.hpp>

/// Softmax and what is made of it, over the rows of contiguous floating matrices `[n,C]`. Sums are
/// carried in double.
namespace unroll::kernels {

/// Softmax, or its logarithm, of every row.
void softmax_rows(const Tensor& x, Tensor& result);
void log_softmax_rows(const Tensor& x, Tensor& result);

/// The gradient of x, from the result y and its gradient g: y (g - sum g y), and for the logarithm
/// g - e^y sum g.
void softmax_rows_gradient(const Tensor& y, const Tensor& g, Tensor& result);
void log_softmax_rows_gradient(const Tensor& y, const Tensor& g, Tensor& result);

/// How much each class counts in the cross-entropy of a row with the target y:
///
///   q[c] = weights[c] ((1 - smoothing) [c = y] + smoothing / C),    0 where y is `ignored`
struct ClassTargets {
  Tensor index;       ///< [n] int64, contiguous
  Index ignored = 0;  ///< outside 0..C-1 when no class is to be ignored
  Tensor weights;     ///< [C] of the dtype of x, contiguous; undefined: ones
  double smoothing = 0.0;
};

/// The sum of weights[y] over the rows that are not ignored.
double total_weight(const ClassTargets& targets);

/// loss[k] = - sum_c q[c] log softmax(x[k])[c], and log_sum[k] = log sum_c e^x[k][c]: `loss: [n]`
/// of the dtype of x, `log_sum: [n]` float64. One pass over x.
void cross_entropy_rows(const Tensor& x, const ClassTargets& targets, Tensor& loss,
                        Tensor& log_sum);

/// result[k][c] = g[k] (softmax(x[k])[c] sum q - q[c]), `g: [n]`, with the log_sum of the above.
/// One pass over x and the result.
void cross_entropy_rows_gradient(const Tensor& x, const ClassTargets& targets,
                                 const Tensor& log_sum, const Tensor& g, Tensor& result);

/// result[k][c] = q[c].
void class_weights(const ClassTargets& targets, Tensor& result);

}  // namespace unroll::kernels
