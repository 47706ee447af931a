#include <autograd/error.hpp>
#include <nn/optim/sgd.hpp>

#include <string>
#include <utility>

namespace unroll::nn {

SGD::SGD(std::vector<Parameter> parameters, const SGDOptions& options)
    : Optimizer(std::move(parameters)), options_(options), velocity_(this->parameters().size()) {
  if (!(options.learning_rate >= 0.0 && options.momentum >= 0.0 && options.weight_decay >= 0.0))
    throw ArgumentError("SGD: learning rate, momentum and weight decay must not be negative");
  if (options.nesterov && options.momentum == 0.0)
    throw ArgumentError("SGD: Nesterov's step needs a momentum");
}

void SGD::set_learning_rate(double rate) {
  if (!(rate >= 0.0))
    throw ArgumentError("SGD: the learning rate must not be negative, it is " +
                        std::to_string(rate));
  options_.learning_rate = rate;
}

void SGD::update(std::size_t index, const ParameterGradient& gradient) {
  Parameter parameter = gradient.parameter;
  Tensor& weight = parameter.mutable_value();
  const bool plain = options_.momentum == 0.0 && options_.weight_decay == 0.0;
  dispatch_floating(weight.dtype(), [&]<class T>(T) {
    T* w = weight.mutable_data<T>();
    const auto rate = static_cast<T>(options_.learning_rate);
    if (plain && !gradient.dense.defined()) {
      const Index columns = weight.size(1);
      for (const RowsTerm& term : gradient.rows) {
        const Tensor values = term.values.value().contiguous();
        const T* g = values.data<T>();
        const std::int64_t* at = term.indices.data<std::int64_t>();
        for (Index k = 0; k < term.indices.size(); ++k)
          for (Index j = 0; j < columns; ++j) w[at[k] * columns + j] -= rate * g[k * columns + j];
      }
      return;
    }
    const Tensor dense = gradient.to_dense().contiguous();
    const T* g = dense.data<T>();
    const Index n = weight.size();
    const auto decay = static_cast<T>(options_.weight_decay);
    const auto momentum = static_cast<T>(options_.momentum);
    if (momentum == T(0)) {
      for (Index i = 0; i < n; ++i) w[i] -= rate * (g[i] + decay * w[i]);
      return;
    }
    Tensor& velocity = velocity_[index];
    if (!velocity.defined()) velocity = zeros(weight.shape(), weight.dtype());
    T* v = velocity.mutable_data<T>();
    const T lookahead = options_.nesterov ? momentum : T(0);
    for (Index i = 0; i < n; ++i) {
      const T slope = g[i] + decay * w[i];
      v[i] = momentum * v[i] + slope;
      w[i] -= rate * (options_.nesterov ? slope + lookahead * v[i] : v[i]);
    }
  });
}

}  // namespace unroll::nn
