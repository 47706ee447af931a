#include <nn/optim/optimizer.hpp>
#include <nn/optim/update_pass.hpp>

#include <algorithm>
#include <utility>

namespace unroll::nn {

Optimizer::Optimizer(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {}

void Optimizer::step(const Gradients& gradients) {
  ++steps_;
  UpdatePass pass;
  for (const ParameterGradient& gradient : gradients.parameters()) {
    const auto found = std::find(parameters_.begin(), parameters_.end(), gradient.parameter);
    if (found != parameters_.end())
      update(static_cast<std::size_t>(found - parameters_.begin()), gradient, pass);
  }
  pass.run();
}

}  // namespace unroll::nn
