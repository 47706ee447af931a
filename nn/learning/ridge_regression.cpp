#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/learning/ridge_regression.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace unroll::nn {
namespace {

void check(const Tensor& states, const Tensor& targets, double lambda) {
  unroll::detail::check_floating("ridge_regression", {"states", states});
  unroll::detail::check_floating("ridge_regression", {"targets", targets});
  if (states.rank() != 2 || targets.rank() != 2 || states.size(0) != targets.size(0) ||
      states.size() == 0 || targets.size() == 0)
    throw ShapeError("ridge_regression: states are " + describe(states) + " and targets " +
                     describe(targets) + ", they must be [N,H] and [N,O] with no size of 0");
  if (!(lambda >= 0.0) || !std::isfinite(lambda))
    throw ArgumentError("ridge_regression: lambda must be finite and at least 0, it is " +
                        std::to_string(lambda));
  for (const Tensor& values : {states, targets})
    if (all_true(is_finite(values)).item() == 0.0)
      throw ArgumentError("ridge_regression: " + describe(values) +
                          " has a NaN or an infinity; leave such rows out");
}

/// What each singular value s contributes to the solution: s / (s^2 + lambda), and 0 where s is 0
/// within rounding.
Tensor filter(const Tensor& singular_values, double size, double lambda) {
  Tensor factors = singular_values.clone();
  double* values = factors.mutable_data<double>();
  const double zero = size * std::numeric_limits<double>::epsilon() * values[0];
  std::transform(values, values + factors.size(), values,
                 [zero, lambda](double s) { return s > zero ? s / (s * s + lambda) : 0.0; });
  return factors;
}

}  // namespace

RidgeRegression ridge_regression(const Tensor& states, const Tensor& targets, double lambda) {
  check(states, targets, lambda);
  const Variable x = states.to(Dtype::float64);
  const Variable y = targets.to(Dtype::float64);
  const Variable mean_x = mean(x, {0});
  const Variable mean_y = mean(y, {0});
  const Svd decomposition = svd(x - mean_x);
  const auto size = static_cast<double>(std::max(x.size(0), x.size(1)));
  const Variable factors = filter(decomposition.s.value(), size, lambda);
  const Variable weight =
      matmul(matmul(transpose(y - mean_y), decomposition.u) * factors, decomposition.vh);
  const Variable bias = mean_y - linear(mean_x, weight);
  return {weight.value().to(targets.dtype()), bias.value().to(targets.dtype())};
}

}  // namespace unroll::nn
