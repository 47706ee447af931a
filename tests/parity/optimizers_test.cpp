// Six steps of a linear regression with each optimizer, and L-BFGS, against torch.optim.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>
#include <nn/optim/lbfgs.hpp>

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "parity/golden.hpp"
#include "support/expect.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

using Maker = std::function<std::unique_ptr<nn::Optimizer>(const std::vector<Parameter>&)>;

template <class O, class Options>
Maker maker(const Options& options) {
  return [options](const std::vector<Parameter>& parameters) {
    return std::make_unique<O>(parameters, options);
  };
}
Maker sgd(const nn::SGDOptions& options) { return maker<nn::SGD>(options); }
Maker adam(const nn::AdamOptions& options) { return maker<nn::Adam>(options); }

void check_trajectory(const Golden& golden, const Golden& after, const Maker& make, Dtype dtype) {
  nn::Linear model(3, 2);
  for (nn::Module::Named& named : model.named_parameters())
    named.parameter.set(golden["first"][named.name].tensor(dtype));
  const std::unique_ptr<nn::Optimizer> optimizer = make(model.parameters());
  const Variable x(golden["x"].tensor(dtype));
  const Variable y(golden["y"].tensor(dtype));

  std::vector<Variable> weights, biases;
  for (int k = 0; k < 6; ++k) {
    Tape tape;
    optimizer->step(tape.gradients(mean(square(model(x) - y))));
    weights.emplace_back(model.weight().value().clone());
    biases.emplace_back(model.bias()->value().clone());
  }
  check_parity(stack(weights).value(), after["weight"], "weight");
  check_parity(stack(biases).value(), after["bias"], "bias");
}

/// The history of a loss, of parameters that are named as in the golden file. Differences of
/// rounding grow from one line search to the next: 1e-10.
void check_lbfgs(const Golden& golden, const std::map<std::string, Parameter>& parameters,
                 const std::function<Variable()>& loss, const nn::LBFGSOptions& options) {
  std::vector<Parameter> all;
  for (auto [name, parameter] : parameters) {
    parameter.set(golden["first"][name].tensor(Dtype::float64));
    all.push_back(parameter);
  }
  nn::LBFGS lbfgs(all, options);
  std::map<std::string, std::vector<Variable>> history;
  const auto calls = golden["after"]["loss"].tensor(Dtype::float64).size();
  for (Index k = 0; k < calls; ++k) {
    const double after = lbfgs.step([&] {
      Tape tape;
      const Variable value = loss();
      return std::pair{value.item(), tape.gradients(value)};
    });
    history["loss"].emplace_back(full({}, after, Dtype::float64));
    for (const auto& [name, parameter] : parameters)
      history[name].emplace_back(parameter.value().clone());
  }
  for (const auto& [name, values] : history) {
    CAPTURE(name);
    expect_close(stack(values).value(), golden["after"][name].tensor(Dtype::float64), 1e-10);
  }
}

}  // namespace

TEST_CASE("optimizers take the steps of torch.optim") {
  const std::map<std::string, Maker> makers = {
      {"SGD", sgd({.learning_rate = 0.25})},
      {"SGD, weight decay", sgd({.learning_rate = 0.25, .weight_decay = 0.125})},
      {"SGD, momentum", sgd({.learning_rate = 0.25, .momentum = 0.75})},
      {"SGD, Nesterov",
       sgd({.learning_rate = 0.25, .momentum = 0.75, .nesterov = true, .weight_decay = 0.125})},
      {"Adam", adam({.learning_rate = 0.0625})},
      {"Adam, other betas",
       adam({.learning_rate = 0.0625, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 0.125})},
      {"AdamW", adam({.learning_rate = 0.0625, .weight_decay = 0.25})},
      {"RMSprop", maker<nn::RMSprop>(nn::RMSpropOptions{.learning_rate = 0.0625, .alpha = 0.75})},
      {"RMSprop, centered", maker<nn::RMSprop>(nn::RMSpropOptions{.learning_rate = 0.0625,
                                                                  .alpha = 0.75,
                                                                  .momentum = 0.5,
                                                                  .centered = true,
                                                                  .weight_decay = 0.125})},
      {"Adagrad", maker<nn::Adagrad>(nn::AdagradOptions{
                      .learning_rate = 0.25, .rate_decay = 0.125, .weight_decay = 0.125})},
      {"Adadelta",
       maker<nn::Adadelta>(nn::AdadeltaOptions{
           .learning_rate = 0.5, .rho = 0.75, .epsilon = 0.0625, .weight_decay = 0.125})},
      {"NAdam", maker<nn::NAdam>(nn::NAdamOptions{.learning_rate = 0.0625,
                                                  .beta1 = 0.75,
                                                  .beta2 = 0.875,
                                                  .momentum_decay = 0.125,
                                                  .weight_decay = 0.125})},
      {"RAdam",
       maker<nn::RAdam>(nn::RAdamOptions{
           .learning_rate = 0.0625, .beta1 = 0.75, .beta2 = 0.9375, .weight_decay = 0.125})},
      {"ASGD", maker<nn::ASGD>(nn::ASGDOptions{.learning_rate = 0.25,
                                               .lambda = 0.125,
                                               .alpha = 0.75,
                                               .start = 2,
                                               .weight_decay = 0.125})},
  };
  const Golden golden = Golden::read("optimizers");
  CHECK(golden["after"].size() == makers.size());
  for (const auto& [name, make] : makers)
    for (Dtype dtype : kFloating) {
      CAPTURE(name);
      CAPTURE(to_string(dtype));
      check_trajectory(golden, golden["after"][name], make, dtype);
    }
}

TEST_CASE("L-BFGS takes the steps of torch.optim.LBFGS") {
  const Golden golden = Golden::read("lbfgs");
  nn::Linear model(3, 2);
  model.to(Dtype::float64);
  const std::map<std::string, Parameter> linear = {{"weight", model.weight()},
                                                   {"bias", *model.bias()}};
  const Variable x(golden["x"].tensor(Dtype::float64));
  const Variable y(golden["y"].tensor(Dtype::float64));
  const auto regression = [&] { return mean(square(model(x) - y)); };
  SUBCASE("regression") {
    check_lbfgs(golden["regression"], linear, regression, {.iterations = 3});
  }
  SUBCASE("regression with a short history") {
    check_lbfgs(golden["regression, short history"], linear, regression,
                {.learning_rate = 0.5, .iterations = 2, .history = 2});
  }
  SUBCASE("Rosenbrock") {
    const Parameter w("w", zeros({2}, Dtype::float64));
    const auto loss = [&] {
      const Variable a = slice(Variable(w), 0, 0, 1);
      const Variable b = slice(Variable(w), 0, 1, 2);
      return sum(square(1.0 - a) + 100.0 * square(b - square(a)));
    };
    check_lbfgs(golden["Rosenbrock"], {{"w", w}}, loss, {.iterations = 3});
  }
}
