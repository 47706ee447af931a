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
#include <vector>

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

/// The name of what is remembered of a parameter.
std::string entry(const std::string& path, const std::string& what) {
  std::string name = path;
  return name.append(".").append(what);
}

}  // namespace

Optimizer::Optimizer(std::string name, std::vector<Parameter> parameters, double learning_rate,
                     double weight_decay, std::vector<std::string> remembered)
    : name_(std::move(name)),
      parameters_(std::move(parameters)),
      held_(parameters_.size()),
      remembered_(std::move(remembered)),
      weight_decay_(weight_decay) {
  set_learning_rate(learning_rate);
  require(weight_decay >= 0.0, "the weight decay must not be negative");
  for (std::size_t k = 0; k < parameters_.size(); ++k)
    index_.try_emplace(parameters_[k].identity(), k);
}

void Optimizer::require(bool holds, const char* what) const {
  if (!holds) throw ArgumentError(name_ + ": " + what);
}

void Optimizer::set_learning_rate(double rate) {
  if (!(rate >= 0.0))
    throw ArgumentError(name_ + ": the learning rate must not be negative, it is " +
                        std::to_string(rate));
  learning_rate_ = rate;
}

void Optimizer::set_group(const std::vector<Parameter>& some, const GroupOptions& options) {
  require(options.rate >= 0.0 && options.weight_decay.value_or(0.0) >= 0.0,
          "rate and weight decay of a group must not be negative");
  for (const Parameter& parameter : some)
    if (!index_.contains(parameter.identity()))
      throw ArgumentError(name_ + ": the parameter " + parameter.name() +
                          " of a group is not among those of this optimizer; give it to the "
                          "constructor too");
  for (const Parameter& parameter : some) held_[index_.at(parameter.identity())].group = options;
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
  for (const ParameterGradient& gradient : all) {
    if (!is_mine(gradient) || gradient.parameter.frozen()) continue;
    auto& [memory, group] = held_[index_.at(gradient.parameter.identity())];
    Parameter parameter = gradient.parameter;
    Tensor& weight = parameter.mutable_value();
    memory.tensors.resize(remembered_.size());
    for (Tensor& tensor : memory.tensors)
      tensor = tensor.defined() ? tensor.to(weight.dtype()) : zeros(weight.shape(), weight.dtype());
    ++memory.steps;
    update({gradient, weight, memory, learning_rate_ * group.rate,
            group.weight_decay.value_or(weight_decay_), pass});
  }
  pass.run();
}

NamedTensors Optimizer::state(const Module& module) const {
  NamedTensors all{{"steps", saved_state::scalar(steps_)}};
  for (const auto& [path, index] : saved_state::named_in(module, parameters_, name_)) {
    const Memory& memory = held_[index].memory;
    if (memory.steps == 0) continue;
    all.emplace_back(path + ".steps", saved_state::scalar(memory.steps));
    for (std::size_t k = 0; k < remembered_.size(); ++k)
      all.emplace_back(entry(path, remembered_[k]), memory.tensors[k].clone());
  }
  return all;
}

void Optimizer::set_state(const Module& module, const NamedTensors& state) {
  saved_state::Reader saved(name_, "optimizer and module", state);
  const std::int64_t steps = saved.count("steps");
  std::vector<Memory> memories(parameters_.size());
  for (const auto& [path, index] : saved_state::named_in(module, parameters_, name_)) {
    if (!saved.contains(path + ".steps")) continue;  // had no gradient
    const Parameter& parameter = parameters_[index];
    memories[index].steps = saved.count(path + ".steps");
    for (const std::string& what : remembered_)
      if (const Tensor* value = saved.take(entry(path, what), parameter.shape()))
        memories[index].tensors.push_back(value->to(parameter.dtype()).clone());
  }
  saved.finish();
  steps_ = steps;
  for (std::size_t k = 0; k < memories.size(); ++k) held_[k].memory = std::move(memories[k]);
}

}  // namespace unroll::nn
