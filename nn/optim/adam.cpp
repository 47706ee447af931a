#include <nn/optim/adam.hpp>

#include <cmath>
#include <tuple>
#include <utility>

namespace unroll::nn {

Adam::Adam(std::vector<Parameter> parameters, const AdamOptions& options)
    : Optimizer("Adam", std::move(parameters), options.learning_rate, options.weight_decay,
                {"first", "second"}),
      options_(options) {
  require(options.epsilon >= 0.0, "epsilon must not be negative");
  require(
      options.beta1 >= 0.0 && options.beta1 < 1.0 && options.beta2 >= 0.0 && options.beta2 < 1.0,
      "beta1 and beta2 must lie in [0, 1)");
}

void Adam::update(const Turn& turn) {
  const auto t = static_cast<double>(turn.memory.steps);
  const double rate = turn.rate / (1.0 - std::pow(options_.beta1, t));
  const double scale = 1.0 / std::sqrt(1.0 - std::pow(options_.beta2, t));
  const double keep = 1.0 - turn.rate * turn.weight_decay;
  // In float32, 1 - 0.999f would be off by 5e-5, and so would every step: both are captured.
  const auto formula = [=, beta1 = options_.beta1, take1 = 1.0 - options_.beta1,
                        beta2 = options_.beta2, take2 = 1.0 - options_.beta2,
                        epsilon = options_.epsilon](auto g, auto w, auto m, auto v) {
    auto first = beta1 * m + take1 * g;
    auto second = beta2 * v + take2 * g * g;
    return std::tuple{keep * w - rate * first / (sqrt(second) * scale + epsilon), first, second};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0],
                turn.memory.tensors[1]);
}

}  // namespace unroll::nn
