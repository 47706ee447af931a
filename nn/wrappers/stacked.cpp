#include <autograd/tensor/error.hpp>
#include <nn/wrappers/stacked.hpp>

#include <string>

namespace unroll::nn {
namespace {

Sequence run(const Stacked::Layer& layer, const Variable& x, const State& state,
             const std::vector<Index>& lengths) {
  if (const auto* both = std::get_if<Bidirectional>(&layer)) return (*both)(x, state, lengths);
  return std::get<Recurrent>(layer)(x, state, {.lengths = lengths});
}

}  // namespace

States detach(const States& states) {
  States constants;
  constants.reserve(states.size());
  for (const State& state : states) constants.push_back(detach(state));
  return constants;
}

void Stacked::check_fits(Index inputs) const {
  if (!layers_.empty() && inputs != outputs_)
    throw ArgumentError("stacked: layer " + std::to_string(layers_.size()) + " takes " +
                        std::to_string(inputs) + " inputs, but the layer below returns " +
                        std::to_string(outputs_));
}

void Stacked::push_back(const Recurrent& layer) {
  check_fits(layer.cell().inputs());
  layers_.emplace_back(add("", layer.at_layer(next_layer())));
  outputs_ = layer.cell().outputs();
}

void Stacked::push_back(const Bidirectional& layer) {
  check_fits(layer.forward().cell().inputs());
  layers_.emplace_back(add("", layer.at_layer(next_layer())));
  outputs_ = layer.forward().cell().outputs() + layer.backward().cell().outputs();
}

Stacked::Result Stacked::operator()(const Variable& x, const States& states,
                                    const std::vector<Index>& lengths) const {
  const Scope inside = scope();
  if (layers_.empty()) throw ArgumentError("stacked: there are no layers; add one with push_back");
  if (!states.empty() && states.size() != layers_.size())
    throw ShapeError("stacked: got the states of " + std::to_string(states.size()) +
                     " layers, there are " + std::to_string(layers_.size()));
  Result result{x, {}};
  result.states.reserve(layers_.size());
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    if (k > 0) result.outputs = dropout_(result.outputs);
    const State initial = states.empty() ? State{} : states[k];
    auto [outputs, state] = run(layers_[k], result.outputs, initial, lengths);
    result.outputs = std::move(outputs);
    result.states.push_back(std::move(state));
  }
  return result;
}

}  // namespace unroll::nn
