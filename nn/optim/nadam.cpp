#include <nn/optim/nadam.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {

NAdam::NAdam(std::vector<Parameter> parameters, const NAdamOptions& options)
    : Optimizer("NAdam", std::move(parameters), options.learning_rate, options.weight_decay,
                {"first", "second"}),
      options_(options) {
  require(
      options.beta1 >= 0.0 && options.beta1 < 1.0 && options.beta2 >= 0.0 && options.beta2 < 1.0,
      "beta1 and beta2 must lie in [0, 1)");
  require(options.epsilon >= 0.0 && options.momentum_decay >= 0.0,
          "epsilon and momentum_decay must not be negative");
}

void NAdam::update(const Turn& turn) {
  const auto mu = [this](std::int64_t t) {
    return options_.beta1 *
           (1.0 - 0.5 * std::pow(0.96, static_cast<double>(t) * options_.momentum_decay));
  };
  const std::int64_t t = turn.memory.steps;
  double product = 1.0;  // of mu up to t
  for (std::int64_t k = 1; k <= t; ++k) {
    product *= mu(k);
    if (product < 1e-18) break;  // 1 less it is 1
  }
  const double of_gradient = turn.rate * (1.0 - mu(t)) / (1.0 - product);
  const double of_momentum = turn.rate * mu(t + 1) / (1.0 - product * mu(t + 1));
  const double scale = 1.0 / std::sqrt(1.0 - std::pow(options_.beta2, static_cast<double>(t)));
  const auto formula = [=, decay = turn.weight_decay, beta1 = options_.beta1,
                        beta2 = options_.beta2,
                        epsilon = options_.epsilon](auto g, auto w, auto m, auto v) {
    auto slope = g + decay * w;
    auto first = slope + beta1 * (m - slope);
    auto second = slope * slope + beta2 * (v - slope * slope);
    return std::tuple{
        w - (of_gradient * slope + of_momentum * first) / (sqrt(second) * scale + epsilon), first,
        second};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0],
                turn.memory.tensors[1]);
}

}  // namespace unroll::nn
