#include <nn/optim/radam.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {

RAdam::RAdam(std::vector<Parameter> parameters, const RAdamOptions& options)
    : Optimizer("RAdam", std::move(parameters), options.learning_rate, options.weight_decay,
                {"first", "second"}),
      options_(options) {
  require(
      options.beta1 >= 0.0 && options.beta1 < 1.0 && options.beta2 >= 0.0 && options.beta2 < 1.0,
      "beta1 and beta2 must lie in [0, 1)");
  require(options.epsilon >= 0.0, "epsilon must not be negative");
}

void RAdam::update(const Turn& turn) {
  const auto t = static_cast<double>(turn.memory.steps);
  const double kept = std::pow(options_.beta2, t);
  const double longest = 2.0 / (1.0 - options_.beta2) - 1.0;  // rho_infinity
  const double length = longest - 2.0 * t * kept / (1.0 - kept);
  const double rate = turn.rate / (1.0 - std::pow(options_.beta1, t));
  const bool rectified = length > 5.0;
  const double factor = rectified
                            ? std::sqrt((length - 4.0) * (length - 2.0) * longest /
                                        ((longest - 4.0) * (longest - 2.0) * length) * (1.0 - kept))
                            : 1.0;
  const auto formula = [=, decay = turn.weight_decay, beta1 = options_.beta1,
                        beta2 = options_.beta2,
                        epsilon = options_.epsilon](auto g, auto w, auto m, auto v) {
    auto slope = g + decay * w;
    auto first = slope + beta1 * (m - slope);
    auto second = slope * slope + beta2 * (v - slope * slope);
    auto step = rectified ? factor * first / (sqrt(second) + epsilon) : first;
    return std::tuple{w - rate * step, first, second};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0],
                turn.memory.tensors[1]);
}

}  // namespace unroll::nn
