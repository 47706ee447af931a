#include <autograd/tensor/error.hpp>
#include <nn/optim/adam.hpp>
#include <nn/optim/update_pass.hpp>

#include <cmath>
#include <tuple>
#include <utility>

namespace unroll::nn {

Adam::Adam(std::vector<Parameter> parameters, const AdamOptions& options)
    : Optimizer("Adam", std::move(parameters), options.learning_rate),
      options_(options),
      moments_(this->parameters().size()) {
  const auto is_decay_rate = [](double beta) { return beta >= 0.0 && beta < 1.0; };
  if (!(options.epsilon >= 0.0 && options.weight_decay >= 0.0))
    throw ArgumentError("Adam: epsilon and weight decay must not be negative");
  if (!is_decay_rate(options.beta1) || !is_decay_rate(options.beta2))
    throw ArgumentError("Adam: beta1 and beta2 must lie in [0, 1)");
}

void Adam::update(std::size_t index, const ParameterGradient& gradient, UpdatePass& pass) {
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
  const double rate = learning_rate() / (1.0 - std::pow(options_.beta1, t));
  const double scale = 1.0 / std::sqrt(1.0 - std::pow(options_.beta2, t));
  const double keep = 1.0 - learning_rate() * options_.weight_decay;
  // In float32, 1 - 0.999f would be off by 5e-5, and so would every step: both are captured.
  const auto formula = [=, beta1 = options_.beta1, take1 = 1.0 - options_.beta1,
                        beta2 = options_.beta2, take2 = 1.0 - options_.beta2,
                        epsilon = options_.epsilon](auto g, auto w, auto m, auto v) {
    auto first = beta1 * m + take1 * g;
    auto second = beta2 * v + take2 * g * g;
    return std::tuple{keep * w - rate * first / (sqrt(second) * scale + epsilon), first, second};
  };
  pass.add(formula, gradient.to_dense(), weight, moments.first, moments.second);
}

}  // namespace unroll::nn
