#include <autograd/error.hpp>
#include <nn/optim/adam.hpp>

#include <cmath>
#include <string>
#include <utility>

namespace unroll::nn {

Adam::Adam(std::vector<Parameter> parameters, const AdamOptions& options)
    : Optimizer(std::move(parameters)), options_(options), moments_(this->parameters().size()) {
  const auto is_decay_rate = [](double beta) { return beta >= 0.0 && beta < 1.0; };
  if (!(options.learning_rate >= 0.0 && options.epsilon >= 0.0 && options.weight_decay >= 0.0))
    throw ArgumentError("Adam: learning rate, epsilon and weight decay must not be negative");
  if (!is_decay_rate(options.beta1) || !is_decay_rate(options.beta2))
    throw ArgumentError("Adam: beta1 and beta2 must lie in [0, 1)");
}

void Adam::set_learning_rate(double rate) {
  if (!(rate >= 0.0))
    throw ArgumentError("Adam: the learning rate must not be negative, it is " +
                        std::to_string(rate));
  options_.learning_rate = rate;
}

void Adam::update(std::size_t index, const ParameterGradient& gradient) {
  Parameter parameter = gradient.parameter;
  Tensor& weight = parameter.mutable_value();
  Moments& moments = moments_[index];
  if (!moments.first.defined()) {
    moments.first = zeros(weight.shape(), weight.dtype());
    moments.second = zeros(weight.shape(), weight.dtype());
  }
  moments.first = moments.first.to(weight.dtype());
  moments.second = moments.second.to(weight.dtype());
  const auto t = static_cast<double>(++moments.steps);
  const double step = options_.learning_rate / (1.0 - std::pow(options_.beta1, t));
  const double correction = 1.0 / std::sqrt(1.0 - std::pow(options_.beta2, t));
  const Tensor dense = gradient.to_dense().contiguous();
  dispatch_floating(weight.dtype(), [&]<class T>(T) {
    const T* g = dense.data<T>();
    T* w = weight.mutable_data<T>();
    T* m = moments.first.mutable_data<T>();
    T* v = moments.second.mutable_data<T>();
    const auto beta1 = static_cast<T>(options_.beta1);
    const auto beta2 = static_cast<T>(options_.beta2);
    // In float32, 1 - 0.999f would be off by 5e-5, and so would every step.
    const auto take1 = static_cast<T>(1.0 - options_.beta1);
    const auto take2 = static_cast<T>(1.0 - options_.beta2);
    const auto keep = static_cast<T>(1.0 - options_.learning_rate * options_.weight_decay);
    const auto rate = static_cast<T>(step);
    const auto scale = static_cast<T>(correction);
    const auto epsilon = static_cast<T>(options_.epsilon);
    for (Index i = 0, n = weight.size(); i < n; ++i) {
      m[i] = beta1 * m[i] + take1 * g[i];
      v[i] = beta2 * v[i] + take2 * g[i] * g[i];
      w[i] = keep * w[i] - rate * m[i] / (std::sqrt(v[i]) * scale + epsilon);
    }
  });
}

}  // namespace unroll::nn
