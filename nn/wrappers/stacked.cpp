#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/wrappers/shared.hpp>
#include <nn/wrappers/stacked.hpp>

#include <string>
#include <utility>
#include <variant>

namespace unroll::nn {
namespace {

const Module& module_of(const Stacked::Layer& layer) {
  return std::visit([](const auto& one) -> const Module& { return one; }, layer);
}

}  // namespace

States detach(const States& states) {
  States constants;
  constants.reserve(states.size());
  for (const State& state : states) constants.push_back(detach(state));
  return constants;
}

void Stacked::check_count(int n) {
  if (n < 1)
    throw ArgumentError("stacked: there must be at least 1 layer, not " + std::to_string(n));
}

void Stacked::put(const Layer& layer, Index inputs, Index outputs) {
  if (!layers_.empty() && inputs != available_)
    throw ArgumentError("stacked: layer " + std::to_string(layers_.size()) + " takes " +
                        std::to_string(inputs) + " inputs, but the " +
                        (options_.dense ? "layers below and x have " : "layer below returns ") +
                        std::to_string(available_));
  if (!options_.share)
    for (const Layer& below : layers_) check_apart("stacked", module_of(below), module_of(layer));
  const int number = static_cast<int>(layers_.size());
  layers_.push_back(
      std::visit([&](const auto& one) -> Layer { return add("", one.at_layer(number)); }, layer));
  available_ = options_.dense ? inputs + outputs : outputs;
}

void Stacked::push_back(const Recurrent& layer) {
  put(layer, layer.cell().inputs(), layer.cell().outputs());
}

void Stacked::push_back(const Bidirectional& layer) {
  put(layer, layer.forward().cell().inputs(), layer.outputs());
}

Stacked::Result Stacked::operator()(const Variable& x, const States& states,
                                    const UnrollOptions& options) const {
  const Scope inside = scope();
  if (layers_.empty()) throw ArgumentError("stacked: there are no layers; add one with push_back");
  if (options.targets.defined())
    throw ArgumentError(
        "stacked: targets were given, but the layer that they would force reads other layers, not "
        "its output; leave them out");
  if (!states.empty() && states.size() != layers_.size())
    throw ShapeError("stacked: got the states of " + std::to_string(states.size()) +
                     " layers, there are " + std::to_string(layers_.size()));
  Result result{x, {}};
  result.states.reserve(layers_.size());
  Variable read = x;
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    if (k > 0) read = dropout_(read);
    const State initial = states.empty() ? State{} : states[k];
    auto [outputs, state] =
        std::visit([&](const auto& layer) { return layer(read, initial, options); }, layers_[k]);
    if (options_.residual && outputs.shape() == read.shape()) outputs = outputs + read;
    read = options_.dense ? concat({read, outputs}) : outputs;
    result.outputs = std::move(outputs);
    result.states.push_back(std::move(state));
  }
  return result;
}

}  // namespace unroll::nn
