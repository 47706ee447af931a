#include <autograd/tensor/error.hpp>
#include <nn/optim/sgd.hpp>
#include <nn/optim/update_pass.hpp>

#include <span>
#include <utility>

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
    : Optimizer("SGD", std::move(parameters), options.learning_rate),
      options_(options),
      velocity_(this->parameters().size()) {
  if (!(options.momentum >= 0.0 && options.weight_decay >= 0.0))
    throw ArgumentError("SGD: momentum and weight decay must not be negative");
  if (options.nesterov && options.momentum == 0.0)
    throw ArgumentError("SGD: Nesterov's step needs a momentum");
}

void SGD::update(std::size_t index, const ParameterGradient& gradient, UpdatePass& pass) {
  Parameter parameter = gradient.parameter;
  Tensor& weight = parameter.mutable_value();
  const double rate = learning_rate();
  const double decay = options_.weight_decay;
  if (options_.momentum == 0.0 && decay == 0.0 && !gradient.dense.defined())
    return update_rows(weight, gradient.rows, rate);
  if (options_.momentum == 0.0) {
    const auto formula = [=](auto g, auto w) { return w - rate * (g + decay * w); };
    pass.add(formula, gradient.to_dense(), weight);
    return;
  }
  Tensor& velocity = velocity_[index];
  if (!velocity.defined()) velocity = zeros(weight.shape(), weight.dtype());
  velocity = velocity.to(weight.dtype());
  const auto formula = [=, momentum = options_.momentum, nesterov = options_.nesterov](
                           auto g, auto w, auto v) {
    auto slope = g + decay * w;
    auto next = momentum * v + slope;
    return std::pair{w - rate * (nesterov ? slope + momentum * next : next), next};
  };
  pass.add(formula, gradient.to_dense(), weight, velocity);
}

}  // namespace unroll::nn
