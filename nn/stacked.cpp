#include <autograd/error.hpp>
#include <nn/stacked.hpp>

#include <string>

namespace unroll::nn {

States detach(const States& states) {
  States constants;
  constants.reserve(states.size());
  for (const State& state : states) constants.push_back(detach(state));
  return constants;
}

void Stacked::check_fits(const Cell& cell) const {
  if (layers_.empty()) return;
  const Index below = layers_.back().cell().outputs();
  if (cell.inputs() != below)
    throw ArgumentError("stacked: layer " + std::to_string(layers_.size()) + " takes " +
                        std::to_string(cell.inputs()) + " inputs, but the layer below puts out " +
                        std::to_string(below));
}

Stacked::Result Stacked::operator()(const Variable& x, const States& states) const {
  if (layers_.empty()) throw ArgumentError("stacked: there are no layers; add one with push_back");
  if (!states.empty() && states.size() != layers_.size())
    throw ShapeError("stacked: got the states of " + std::to_string(states.size()) +
                     " layers, there are " + std::to_string(layers_.size()));
  Result result{x, {}};
  result.states.reserve(layers_.size());
  for (std::size_t k = 0; k < layers_.size(); ++k) {
    if (k > 0) result.outputs = dropout_(result.outputs);
    auto [outputs, state] = layers_[k](result.outputs, states.empty() ? State{} : states[k]);
    result.outputs = std::move(outputs);
    result.states.push_back(std::move(state));
  }
  return result;
}

}  // namespace unroll::nn
