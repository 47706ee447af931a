#pragma once

#include <autograd/tensor/tensor.hpp>

namespace unroll::nn {

/// A linear readout y = h W^T + b, as nn::Linear has it.
struct RidgeRegression {
  Tensor weight;  ///< [O,H]
  Tensor bias;    ///< [O]
};

/// Fits a readout in one go (Hoerl and Kennard, Ridge regression: biased estimation for
/// nonorthogonal problems, 1970): the weight and bias that minimise
///
///     sum_n |W h_n + b - y_n|^2 + lambda |W|^2
///
/// for `states: [N,H]` and `targets: [N,O]`. The bias is not penalised. By the singular value
/// decomposition of the centred states, not by the normal equations, whose condition is the square
/// of it; with lambda = 0 and states that are linearly dependent the smallest of the best weights
/// comes out. Computed in float64; the result has the dtype of the targets, and nothing is
/// recorded. Throws ShapeError for other shapes or no rows, DtypeError for int64, ArgumentError
/// when lambda is negative and for a NaN or an infinity.
///
///     auto [outputs, state] = rnn(x);  // of a Reservoir: [T,1,H]
///     RidgeRegression fit = ridge_regression(select(outputs, 1, 0).value(), y, 1e-6);
///     Variable forecast = linear(outputs, fit.weight, fit.bias);
RidgeRegression ridge_regression(const Tensor& states, const Tensor& targets, double lambda);

}  // namespace unroll::nn
