#include "dynamic_evaluation.hpp"

#include <fmt/format.h>
#include <autograd/autograd.hpp>

#include <cmath>

namespace lm {
namespace {

unroll::Tensor column(std::span<const std::int32_t> symbols) {
  return unroll::Tensor::of<std::int64_t>(
      {static_cast<Index>(symbols.size()), 1},
      std::vector<std::int64_t>(symbols.begin(), symbols.end()));
}

}  // namespace

DynamicEvaluation::DynamicEvaluation(const Model& model, const DynamicOptions& options)
    : options_(options), model_(unroll::nn::clone(model)) {
  const auto require = [](bool fits, const char* what, double got) {
    if (!fits) throw unroll::ArgumentError(fmt::format("DynamicEvaluation: {}, got {}", what, got));
  };
  require(options.rate >= 0 && std::isfinite(options.rate), "rate: expected a number from 0",
          options.rate);
  require(options.decay >= 0 && options.decay <= 1, "decay: expected a number from 0 to 1",
          options.decay);
  require(options.steps >= 1, "steps: expected at least 1", static_cast<double>(options.steps));
  model_.eval();  // without dropout
  for (const unroll::Parameter& parameter : model_.parameters())
    trained_.push_back(parameter.value().clone());
}

void DynamicEvaluation::throw_ran_away() {
  throw unroll::Error("eval: dynamic evaluation ran away; try a lower --dynamic");
}

void DynamicEvaluation::adapt(std::span<const std::int32_t> inputs,
                              std::span<const std::int32_t> targets,
                              const unroll::nn::States& before) {
  if (inputs.empty() || inputs.size() != targets.size())
    throw unroll::ArgumentError(
        fmt::format("DynamicEvaluation: expected as many targets as inputs and at least 1, got {} "
                    "and {}",
                    targets.size(), inputs.size()));
  if (options_.rate == 0) return;  // nothing ever to decay either

  std::vector<unroll::Parameter> parameters = model_.parameters();
  {
    unroll::Tape tape;
    const auto [logits, after] = model_(column(inputs), before);
    const unroll::Gradients gradients = tape.gradients(cross_entropy(logits, column(targets)));
    if (!std::isfinite(unroll::nn::global_norm(gradients))) throw_ran_away();
    unroll::nn::SGD(parameters, {.learning_rate = options_.rate}).step(gradients);
  }
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    auto* values = parameters[p].mutable_value().mutable_data<float>();
    const auto* trained = trained_[p].data<float>();
    const auto decay = static_cast<float>(options_.decay);
    for (Index i = 0; i < trained_[p].size(); ++i) values[i] += decay * (trained[i] - values[i]);
  }
}

}  // namespace lm
