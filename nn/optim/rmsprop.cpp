#include <nn/optim/rmsprop.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {

RMSprop::RMSprop(std::vector<Parameter> parameters, const RMSpropOptions& options)
    : Optimizer("RMSprop", std::move(parameters), options.learning_rate, options.weight_decay,
                {"square", "velocity", "mean"}),
      options_(options) {
  require(options.alpha >= 0.0 && options.alpha < 1.0, "alpha must lie in [0, 1)");
  require(options.epsilon >= 0.0 && options.momentum >= 0.0,
          "epsilon and momentum must not be negative");
}

void RMSprop::update(const Turn& turn) {
  const auto formula = [rate = turn.rate, decay = turn.weight_decay, alpha = options_.alpha,
                        take = 1.0 - options_.alpha, epsilon = options_.epsilon,
                        momentum = options_.momentum, centre = options_.centered ? 1.0 : 0.0](
                           auto g, auto w, auto s, auto v, auto m) {
    auto slope = g + decay * w;
    auto square = alpha * s + take * slope * slope;
    auto mean = alpha * m + take * slope;
    auto next = momentum * v + slope / (sqrt(square - centre * mean * mean) + epsilon);
    return std::tuple{w - rate * next, square, next, mean};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0],
                turn.memory.tensors[1], turn.memory.tensors[2]);
}

}  // namespace unroll::nn
