#include <autograd/kernels/rows.hpp>
#include <autograd/kernels/squares.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/optim/clip.hpp>
#include <nn/optim/update_pass.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// The rows of a table that were looked up, each once and with all its terms added up: values
/// `[n,D]`.
RowsTerm looked_up_rows(const ParameterGradient& gradient) {
  memory::Vector<std::int64_t> rows;
  for (const RowsTerm& term : gradient.rows) {
    const std::int64_t* at = term.indices.data<std::int64_t>();
    rows.insert(rows.end(), at, at + term.indices.size());
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  const auto count = static_cast<Index>(rows.size());
  Tensor total = zeros({count, gradient.parameter.shape()[1]}, gradient.parameter.dtype());
  for (const RowsTerm& term : gradient.rows) {
    Tensor places = term.indices.clone();
    auto* place = places.in_place<std::int64_t>();
    for (Index k = 0; k < places.size(); ++k)
      place[k] = std::lower_bound(rows.begin(), rows.end(), place[k]) - rows.begin();
    kernels::scatter_add_rows(term.values.value(), places, total);
  }
  return {Tensor::of({count}, std::span<const std::int64_t>(rows.data(), rows.size())), total};
}

/// What the norm of a gradient is taken of, contiguous.
Tensor elements_of(const ParameterGradient& gradient) {
  return gradient.dense.defined() ? gradient.dense.value().contiguous()
                                  : looked_up_rows(gradient).values.value();
}

/// g = f(g) for all elements, in a pass over memory, in place where nobody else holds them.
template <class F>
void change(UpdatePass& pass, const F& f, Variable& gradient) {
  if (gradient.recorded()) {  // of a differentiable backward pass: f belongs on the tape too
    gradient = f(gradient);
    return;
  }
  Tensor value = std::exchange(gradient, Variable()).value();
  if (!value.unique() || !value.is_contiguous()) value = value.clone();
  pass.change(f, value);
  gradient = std::move(value);
}

template <class F>
void change(UpdatePass& pass, const F& f, ParameterGradient& gradient) {
  if (gradient.dense.defined()) change(pass, f, gradient.dense);
  for (RowsTerm& term : gradient.rows) change(pass, f, term.values);
}

auto times(double factor) {
  return [factor](auto g) { return factor * g; };
}

void require_positive(const char* name, const char* what, double value) {
  if (!(value > 0.0))
    throw ArgumentError(std::string(name) + ": the " + what + " must be positive, it is " +
                        std::to_string(value));
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

double norm_of(std::span<const Tensor> all) {
  const double squares = kernels::sum_of_squares(all);
  if (std::isfinite(squares) && squares > std::numeric_limits<double>::min() * 1e16)
    return std::sqrt(squares);
  return norm_of_extremes(all);
}

/// The factor that brings a norm down to `max_norm`. A factor of 0 or NaN would turn every element
/// into NaN, also those that were right, so a norm that is not finite has factor 1.
double factor_for(double norm, double max_norm) {
  return norm > max_norm && std::isfinite(norm) ? max_norm / norm : 1.0;
}

}  // namespace

double global_norm(const Gradients& gradients) {
  memory::Vector<Tensor> all;
  for (const ParameterGradient& gradient : gradients.parameters())
    all.push_back(elements_of(gradient));
  return norm_of(all);
}

double clip_by_global_norm(Gradients& gradients, double max_norm) {
  require_positive("clip_by_global_norm", "norm", max_norm);
  const double norm = global_norm(gradients);
  const double factor = factor_for(norm, max_norm);
  if (factor == 1.0) return norm;
  UpdatePass pass;
  for (ParameterGradient& gradient : gradients.parameters()) change(pass, times(factor), gradient);
  pass.run();
  return norm;
}

void clip_by_norm(Gradients& gradients, double max_norm) {
  require_positive("clip_by_norm", "norm", max_norm);
  UpdatePass pass;
  for (ParameterGradient& gradient : gradients.parameters()) {
    const Tensor elements[] = {elements_of(gradient)};
    const double factor = factor_for(norm_of(elements), max_norm);
    if (factor != 1.0) change(pass, times(factor), gradient);
  }
  pass.run();
}

void clip_by_value(Gradients& gradients, double limit) {
  require_positive("clip_by_value", "limit", limit);
  UpdatePass pass;
  for (ParameterGradient& gradient : gradients.parameters()) {
    if (!gradient.dense.defined()) gradient.rows.assign({looked_up_rows(gradient)});
    change(
        pass, [limit](auto g) { return clamp(g, -limit, limit); }, gradient);
  }
  pass.run();
}

}  // namespace unroll::nn
