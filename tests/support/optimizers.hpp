#pragma once

#include <nn/optim/adadelta.hpp>
#include <nn/optim/adagrad.hpp>
#include <nn/optim/adam.hpp>
#include <nn/optim/asgd.hpp>
#include <nn/optim/lion.hpp>
#include <nn/optim/nadam.hpp>
#include <nn/optim/radam.hpp>
#include <nn/optim/rmsprop.hpp>
#include <nn/optim/sgd.hpp>

#include <functional>
#include <memory>
#include <vector>

/// Every optimizer of nn/optim, for what must hold for all of them.
namespace unroll::testing {

using MakeOptimizer =
    std::function<std::unique_ptr<nn::Optimizer>(const std::vector<Parameter>& parameters)>;

template <class O, class Options>
MakeOptimizer make_optimizer(const Options& options) {
  return [=](const std::vector<Parameter>& p) { return std::make_unique<O>(p, options); };
}

/// With options that make them remember what they can.
inline std::vector<MakeOptimizer> every_optimizer() {
  return {
      make_optimizer<nn::SGD>(nn::SGDOptions{.learning_rate = 0.1}),
      make_optimizer<nn::SGD>(
          nn::SGDOptions{.momentum = 0.9, .nesterov = true, .weight_decay = 0.01}),
      make_optimizer<nn::ASGD>(nn::ASGDOptions{.start = 1}),
      make_optimizer<nn::RMSprop>(nn::RMSpropOptions{.momentum = 0.5, .centered = true}),
      make_optimizer<nn::Adagrad>(nn::AdagradOptions{.rate_decay = 0.1}),
      make_optimizer<nn::Adadelta>(nn::AdadeltaOptions{}),
      make_optimizer<nn::Adam>(nn::AdamOptions{.learning_rate = 0.01, .weight_decay = 0.1}),
      make_optimizer<nn::NAdam>(nn::NAdamOptions{}),
      make_optimizer<nn::RAdam>(nn::RAdamOptions{}),
      make_optimizer<nn::Lion>(nn::LionOptions{}),
  };
}

/// All weights of a module, one behind the other.
inline std::vector<double> weights_of(const nn::Module& module) {
  std::vector<double> all;
  for (const Parameter& parameter : module.parameters())
    for (const double value : parameter.value().to_vector<double>()) all.push_back(value);
  return all;
}

}  // namespace unroll::testing
