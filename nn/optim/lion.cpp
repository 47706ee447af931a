#include <nn/optim/lion.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {

Lion::Lion(std::vector<Parameter> parameters, const LionOptions& options)
    : Optimizer("Lion", std::move(parameters), options.learning_rate, options.weight_decay,
                {"momentum"}),
      options_(options) {
  require(
      options.beta1 >= 0.0 && options.beta1 < 1.0 && options.beta2 >= 0.0 && options.beta2 < 1.0,
      "beta1 and beta2 must lie in [0, 1)");
}

void Lion::update(const Turn& turn) {
  const auto formula = [rate = turn.rate, decay = turn.weight_decay, beta1 = options_.beta1,
                        take1 = 1.0 - options_.beta1, beta2 = options_.beta2,
                        take2 = 1.0 - options_.beta2](auto g, auto w, auto m) {
    return std::pair{w - rate * (sign(beta1 * m + take1 * g) + decay * w), beta2 * m + take2 * g};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0]);
}

}  // namespace unroll::nn
