#include <autograd/tensor/error.hpp>
#include <nn/optim/clip.hpp>
#include <nn/optim/optimizer.hpp>
#include <nn/optim/update_pass.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// Gradients are usually those of a tape, but anyone may make or change them.
void check(const ParameterGradient& gradient) {
  const Parameter& parameter = gradient.parameter;
  const auto describe_both = [&](const Tensor& g) {
    return "optimizer: the gradient of " + parameter.name() + " is " + describe(g) +
           ", the parameter " + describe(parameter.value()) + ": ";
  };
  const auto check_dtype = [&](const Tensor& g) {
    if (g.dtype() != parameter.dtype())
      throw DtypeError(describe_both(g) + "take gradients again after a change of dtype");
  };
  if (gradient.dense.defined()) {
    const Tensor& g = gradient.dense.value();
    if (g.shape() != parameter.shape())
      throw ShapeError(describe_both(g) + "the shapes must be equal");
    return check_dtype(g);
  }
  for (const RowsTerm& term : gradient.rows) {
    const Tensor& g = term.values.value();
    const Tensor& rows = term.indices;
    if (parameter.shape().rank() != 2 || !g.defined() || g.rank() != 2 || !rows.defined() ||
        rows.rank() != 1 || rows.size() != g.shape()[0] || g.shape()[1] != parameter.shape()[1])
      throw ShapeError(describe_both(g) +
                       "rows [n,D] with indices [n] are needed, the indices are " + describe(rows));
    check_dtype(g);
    if (rows.dtype() != Dtype::int64)
      throw DtypeError(describe_both(g) + "the indices must be int64, they are " + describe(rows));
    const Tensor packed = rows.contiguous();
    for (const std::int64_t row :
         std::span(packed.data<std::int64_t>(), static_cast<std::size_t>(packed.size())))
      if (row < 0 || row >= parameter.shape()[0])
        throw ArgumentError(describe_both(g) + "there is no row " + std::to_string(row));
  }
}

}  // namespace

Optimizer::Optimizer(std::string name, std::vector<Parameter> parameters, double learning_rate)
    : name_(std::move(name)), parameters_(std::move(parameters)) {
  set_learning_rate(learning_rate);
  for (std::size_t k = 0; k < parameters_.size(); ++k)
    index_.try_emplace(parameters_[k].identity(), k);
}

void Optimizer::set_learning_rate(double rate) {
  if (!(rate >= 0.0))
    throw ArgumentError(name_ + ": the learning rate must not be negative, it is " +
                        std::to_string(rate));
  learning_rate_ = rate;
}

void Optimizer::step(const Gradients& gradients) {
  const auto all = gradients.parameters();
  const auto is_mine = [&](const ParameterGradient& gradient) {
    return index_.contains(gradient.parameter.identity());
  };
  for (const ParameterGradient& gradient : all)
    if (is_mine(gradient)) check(gradient);
  if (non_finite_ != NonFinite::keep && !std::isfinite(global_norm(gradients))) {
    if (non_finite_ == NonFinite::skip) return;
    throw ArgumentError(
        "optimizer: the norm of the gradients is not finite; lower the learning rate, clip the "
        "gradients, or look for the first NaN with FiniteCheck");
  }
  ++steps_;
  UpdatePass pass;
  for (const ParameterGradient& gradient : all)
    if (is_mine(gradient)) update(index_.at(gradient.parameter.identity()), gradient, pass);
  pass.run();
}

}  // namespace unroll::nn
