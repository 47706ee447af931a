#include <autograd/kernels/rows.hpp>
#include <autograd/kernels/squares.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/optim/clip.hpp>
#include <nn/optim/update_pass.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// The rows of a table that were looked up, each once and with all its terms added up: `[n,D]`.
Tensor looked_up_rows(const ParameterGradient& gradient) {
  memory::Vector<std::int64_t> rows;
  for (const RowsTerm& term : gradient.rows) {
    const std::int64_t* at = term.indices.data<std::int64_t>();
    rows.insert(rows.end(), at, at + term.indices.size());
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  Tensor total = zeros({static_cast<Index>(rows.size()), gradient.parameter.shape()[1]},
                       gradient.parameter.dtype());
  for (const RowsTerm& term : gradient.rows) {
    Tensor places = term.indices.clone();
    auto* place = places.in_place<std::int64_t>();
    for (Index k = 0; k < places.size(); ++k)
      place[k] = std::lower_bound(rows.begin(), rows.end(), place[k]) - rows.begin();
    kernels::scatter_add_rows(term.values.value(), places, total);
  }
  return total;
}

/// Multiplies all gradients in one pass, in place where nobody else holds them.
void scale(Gradients& gradients, double factor) {
  UpdatePass pass;
  const auto add = [&](Variable& gradient) {
    if (gradient.recorded()) {  // of a differentiable backward pass: the scaling belongs on the
                                // tape too
      gradient = gradient * factor;
      return;
    }
    Tensor value = std::exchange(gradient, Variable()).value();
    if (!value.unique() || !value.is_contiguous()) value = value.clone();
    pass.change([factor](auto g) { return factor * g; }, value);
    gradient = std::move(value);
  };
  for (ParameterGradient& gradient : gradients.parameters()) {
    if (gradient.dense.defined()) add(gradient.dense);
    for (RowsTerm& term : gradient.rows) add(term.values);
  }
  pass.run();
}

/// The norm of numbers whose squares overflow or underflow. A NaN stays one.
double norm_of_extremes(std::span<const Tensor> all) {
  double largest = 0.0;
  for (const Tensor& x : all)
    for (const double g : x.to_vector<double>())
      largest = std::isnan(g) || std::isnan(largest) ? NAN : std::max(largest, std::abs(g));
  if (largest == 0.0 || !std::isfinite(largest)) return largest;
  double squares = 0.0;
  for (const Tensor& x : all)
    for (const double g : x.to_vector<double>()) squares += (g / largest) * (g / largest);
  return largest * std::sqrt(squares);
}

}  // namespace

double global_norm(const Gradients& gradients) {
  memory::Vector<Tensor> all;
  for (const ParameterGradient& gradient : gradients.parameters())
    all.push_back(gradient.dense.defined() ? gradient.dense.value().contiguous()
                                           : looked_up_rows(gradient));
  const double squares = kernels::sum_of_squares(all);
  if (std::isfinite(squares) && squares > std::numeric_limits<double>::min() * 1e16)
    return std::sqrt(squares);
  return norm_of_extremes(all);
}

double clip_by_global_norm(Gradients& gradients, double max_norm) {
  if (!(max_norm > 0.0))
    throw ArgumentError("clip_by_global_norm: the norm must be positive, it is " +
                        std::to_string(max_norm));
  const double norm = global_norm(gradients);
  // A factor of 0 or NaN would turn every gradient into NaN, also those that were right.
  if (norm > max_norm && std::isfinite(norm)) scale(gradients, max_norm / norm);
  return norm;
}

}  // namespace unroll::nn
