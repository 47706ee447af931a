#include <nn/optim/adagrad.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {

Adagrad::Adagrad(std::vector<Parameter> parameters, const AdagradOptions& options)
    : Optimizer("Adagrad", std::move(parameters), options.learning_rate, options.weight_decay,
                {"sum"}),
      options_(options) {
  require(options.rate_decay >= 0.0 && options.epsilon >= 0.0,
          "rate_decay and epsilon must not be negative");
}

void Adagrad::update(const Turn& turn) {
  const double before = static_cast<double>(turn.memory.steps - 1);
  const double rate = turn.rate / (1.0 + before * options_.rate_decay);
  const auto formula = [rate, decay = turn.weight_decay, epsilon = options_.epsilon](auto g, auto w,
                                                                                     auto s) {
    auto slope = g + decay * w;
    auto sum = s + slope * slope;
    return std::pair{w - rate * slope / (sqrt(sum) + epsilon), sum};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0]);
}

}  // namespace unroll::nn
