// What all optimizers share: state that is saved by name, groups, frozen parameters.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/optimizers.hpp"

namespace unroll::testing {
namespace {

void train(nn::Optimizer& optimizer, const nn::MLP& model, int from, int to) {
  for (int step = from; step < to; ++step) {
    const Tensor x = random({5, 3}, static_cast<std::uint64_t>(step));
    Tape tape;
    optimizer.step(tape.gradients(sum(square(model(x)))));
  }
}

nn::MLP model_of(std::uint64_t first) {
  seed(first);
  nn::MLP model({3, 4, 2});
  model.to(Dtype::float64);
  return model;
}

}  // namespace

TEST_CASE("an optimizer that continues from a state takes the same steps, bit for bit") {
  for (const auto& make : every_optimizer()) {
    const nn::MLP whole = model_of(3);
    const nn::MLP parts = nn::clone(whole);
    const auto uninterrupted = make(whole.parameters());
    train(*uninterrupted, whole, 0, 8);

    const auto first = make(parts.parameters());
    train(*first, parts, 0, 4);
    const auto second = make(parts.parameters());
    second->set_state(parts, first->state(parts));
    CHECK(second->steps() == 4);
    train(*second, parts, 4, 8);
    CHECK(weights_of(parts) == weights_of(whole));
  }
}

TEST_CASE("state is named by the paths of the module") {
  const nn::MLP model = model_of(1);
  nn::Adam adam(model.parameters());
  CHECK(adam.state(model).size() == 1);  // the number of steps
  train(adam, model, 0, 1);
  std::vector<std::string> names;
  for (const auto& [name, value] : adam.state(model)) names.push_back(name);
  const std::string path = model.named_parameters()[0].name;
  REQUIRE(names.size() == 1 + 3 * model.parameters().size());
  CHECK(names[1] == path + ".steps");
  CHECK(names[2] == path + ".first");
  CHECK(names[3] == path + ".second");
}

TEST_CASE("a state that does not fit changes nothing and says what is wrong") {
  const nn::MLP model = model_of(1);
  nn::Adam adam(model.parameters());
  train(adam, model, 0, 2);
  auto state = adam.state(model);
  state[2].second = zeros({7});
  state[3].first = "elsewhere.second";
  nn::Adam other(model.parameters());
  const std::string path = model.named_parameters()[0].name;
  expect_error<FormatError>([&] { other.set_state(model, state); },
                            {path + ".first: [7] instead of [4,3]", path + ".second: missing",
                             "elsewhere.second: not of this optimizer"});
  CHECK(other.steps() == 0);
  nn::SGD sgd(model.parameters(), {.momentum = 0.5});
  CHECK_THROWS_AS(sgd.set_state(model, adam.state(model)), FormatError);
  const nn::Linear foreign(2, 2);
  expect_error<ArgumentError>([&] { static_cast<void>(adam.state(foreign)); },
                              {"Adam", "not in the module"});
}

TEST_CASE("a group has its own rate and weight decay") {
  Parameter a("a", Tensor::of<double>({1}, {2}));
  Parameter b("b", Tensor::of<double>({1}, {2}));
  nn::SGD sgd({a, b}, {.learning_rate = 0.5, .weight_decay = 1.0});
  sgd.set_group({b}, {.rate = 0.5, .weight_decay = 0.0});
  Tape tape;
  sgd.step(tape.gradients(sum(Variable(a) + Variable(b))));
  CHECK(a.value().item() == 2 - 0.5 * (1 + 2));
  CHECK(b.value().item() == 2 - 0.25);
  const Parameter foreign("c", zeros({1}));
  expect_error<ArgumentError>([&] { sgd.set_group({foreign}, {}); }, {"SGD", "c"});
  expect_error<ArgumentError>([&] { sgd.set_group({a}, {.rate = -1.0}); }, {"negative"});
}

TEST_CASE("a parameter that was frozen after its gradient was taken stays as it is") {
  Parameter a("a", Tensor::of<double>({1}, {2}));
  nn::Adam adam({a});
  Tape tape;
  const Gradients gradients = tape.gradients(sum(square(Variable(a))));
  a.freeze();
  adam.step(gradients);
  CHECK(a.value().item() == 2);
}

TEST_CASE("Lion steps by the sign of its interpolated momentum") {
  Parameter w("w", Tensor::of<double>({2}, {1, -1}));
  nn::Lion lion({w}, {.learning_rate = 0.1, .beta1 = 0.5, .beta2 = 0.75, .weight_decay = 0.5});
  const auto step = [&](double slope) {
    Tape tape;
    lion.step(tape.gradients(sum(Variable(w)) * slope));
  };
  step(4.0);  // m = 1, sign + : w - 0.1 (1 + 0.5 w)
  expect_values(w.value(), {1 - 0.1 * 1.5, -1 - 0.1 * 0.5});
  step(-0.5);  // 0.5 - 0.25 > 0 still
  const double first = 0.85 - 0.1 * (1 + 0.5 * 0.85);
  CHECK(w.value().at({0}) == doctest::Approx(first).epsilon(1e-14));
  step(-4.0);  // m = 0.75 - 0.125, 0.3125 - 2 < 0
  CHECK(w.value().at({0}) == doctest::Approx(first - 0.1 * (-1 + 0.5 * first)).epsilon(1e-14));
}

TEST_CASE("averaged SGD evaluates with the mean of its weights") {
  Parameter w("w", Tensor::of<double>({1}, {0}));
  nn::ASGD asgd({w}, {.learning_rate = 1.0, .lambda = 0.0, .start = 0});
  CHECK(asgd.averages()[0].value.item() == 0.0);
  for (int k = 0; k < 4; ++k) {  // w is -1, -2, -3, -4
    Tape tape;
    asgd.step(tape.gradients(sum(Variable(w))));
  }
  // The first step restarts the mean, as PyTorch's does.
  CHECK(w.value().item() == -4.0);
  {
    const Substitution averaged(asgd.averages());
    CHECK(Variable(w).item() == doctest::Approx(-3.0));
  }
  CHECK(Variable(w).item() == -4.0);
}

TEST_CASE("optimizers refuse options out of range, by name") {
  const std::vector<Parameter> none;
  expect_error<ArgumentError>([&] { nn::RMSprop(none, {.alpha = 1.0}); }, {"RMSprop", "alpha"});
  expect_error<ArgumentError>([&] { nn::Adadelta(none, {.epsilon = 0.0}); }, {"Adadelta"});
  expect_error<ArgumentError>([&] { nn::Lion(none, {.learning_rate = -1.0}); },
                              {"Lion", "learning rate"});
  expect_error<ArgumentError>([&] { nn::Adagrad(none, {.weight_decay = -1.0}); },
                              {"Adagrad", "weight decay"});
}

}  // namespace unroll::testing
