#include <nn/optim/sgd.hpp>
#include <nn/optim/update_pass.hpp>

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

/// w -= rate g for the rows that were looked up, in the order of the lookups.
void update_rows(Tensor& weight, std::span<const RowsTerm> rows, double learning_rate) {
  dispatch_floating(weight.dtype(), [&]<class T>(T) {
    T* w = weight.mutable_data<T>();
    const auto rate = static_cast<T>(learning_rate);
    const Index columns = weight.size(1);
    for (const RowsTerm& term : rows) {
      const Tensor values = term.values.value().contiguous();
      const T* g = values.data<T>();
      const std::int64_t* at = term.indices.data<std::int64_t>();
      for (Index k = 0; k < term.indices.size(); ++k)
        for (Index j = 0; j < columns; ++j) w[at[k] * columns + j] -= rate * g[k * columns + j];
    }
  });
}

}  // namespace

SGD::SGD(std::vector<Parameter> parameters, const SGDOptions& options)
    : Optimizer("SGD", std::move(parameters), options.learning_rate, options.weight_decay,
                options.momentum == 0.0 ? std::vector<std::string>{}
                                        : std::vector<std::string>{"velocity"}),
      options_(options) {
  require(options.momentum >= 0.0, "the momentum must not be negative");
  require(!options.nesterov || options.momentum > 0.0, "Nesterov's step needs a momentum");
}

void SGD::update(const Turn& turn) {
  const double rate = turn.rate;
  const double decay = turn.weight_decay;
  if (options_.momentum == 0.0 && decay == 0.0 && !turn.gradient.dense.defined())
    return update_rows(turn.weight, turn.gradient.rows, rate);
  if (options_.momentum == 0.0) {
    const auto formula = [=](auto g, auto w) { return w - rate * (g + decay * w); };
    turn.pass.add(formula, turn.gradient.to_dense(), turn.weight);
    return;
  }
  const auto formula = [=, momentum = options_.momentum, nesterov = options_.nesterov](
                           auto g, auto w, auto v) {
    auto slope = g + decay * w;
    auto next = momentum * v + slope;
    return std::pair{w - rate * (nesterov ? slope + momentum * next : next), next};
  };
  turn.pass.add(formula, turn.gradient.to_dense(), turn.weight, turn.memory.tensors[0]);
}

}  // namespace unroll::nn
