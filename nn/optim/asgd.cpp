#include <nn/optim/asgd.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace unroll::nn {

ASGD::ASGD(std::vector<Parameter> parameters, const ASGDOptions& options)
    : Optimizer("ASGD", std::move(parameters), options.learning_rate, options.weight_decay,
                {"average"}),
      options_(options) {
  require(options.lambda >= 0.0 && options.alpha >= 0.0, "lambda and alpha must not be negative");
}

void ASGD::update(const Turn& turn) {
  const auto before = static_cast<double>(turn.memory.steps - 1);
  const double eta =
      turn.rate / std::pow(1.0 + options_.lambda * turn.rate * before, options_.alpha);
  const double share = 1.0 / std::max(1.0, before - options_.start);
  const auto formula = [eta, share, keep = 1.0 - options_.lambda * eta, decay = turn.weight_decay](
                           auto g, auto w, auto a) {
    auto next = keep * w - eta * (g + decay * w);
    return std::pair{next, a + share * (next - a)};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0]);
}

std::vector<Substitution::Entry> ASGD::averages() const {
  std::vector<Substitution::Entry> all;
  for (std::size_t k = 0; k < parameters().size(); ++k) {
    const Memory& own = memory(k);
    const Parameter& parameter = parameters()[k];
    all.push_back({parameter, own.steps > 0 ? own.tensors[0].clone() : parameter.value()});
  }
  return all;
}

}  // namespace unroll::nn
