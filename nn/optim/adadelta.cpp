#include <nn/optim/adadelta.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {

Adadelta::Adadelta(std::vector<Parameter> parameters, const AdadeltaOptions& options)
    : Optimizer("Adadelta", std::move(parameters), options.learning_rate, options.weight_decay,
                {"square", "change"}),
      options_(options) {
  require(options.rho >= 0.0 && options.rho < 1.0, "rho must lie in [0, 1)");
  require(options.epsilon > 0.0, "epsilon must be positive");
}

void Adadelta::update(const Turn& turn) {
  const auto formula = [rate = turn.rate, decay = turn.weight_decay, rho = options_.rho,
                        take = 1.0 - options_.rho,
                        epsilon = options_.epsilon](auto g, auto w, auto s, auto u) {
    auto slope = g + decay * w;
    auto square = rho * s + take * slope * slope;
    auto change = sqrt(u + epsilon) / sqrt(square + epsilon) * slope;
    return std::tuple{w - rate * change, square, rho * u + take * change * change};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0],
                turn.memory.tensors[1]);
}

}  // namespace unroll::nn
