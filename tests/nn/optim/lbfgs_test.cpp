#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/layers/linear.hpp>
#include <nn/layers/mlp.hpp>
#include <nn/optim/lbfgs.hpp>

#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// A closure of the loss, counting its calls.
nn::LBFGS::Closure closure(std::function<Variable()> loss, int* calls = nullptr) {
  return [loss = std::move(loss), calls] {
    if (calls) ++*calls;
    Tape tape;
    const Variable value = loss();
    return std::pair{value.item(), tape.gradients(value)};
  };
}

Variable rosenbrock(const Parameter& w) {
  const Variable a = slice(Variable(w), 0, 0, 1);
  const Variable b = slice(Variable(w), 0, 1, 2);
  return sum(square(1.0 - a) + 100.0 * square(b - square(a)));
}

Parameter rosenbrock_start() { return {"w", Tensor::of<double>({2}, {-1.25, 1.0})}; }

struct Regression {
  nn::MLP model{{3, 4, 2}};
  Tensor x = random({9, 3}, 1);
  Tensor y = random({9, 2}, 2);

  explicit Regression(std::uint64_t first) {
    model.to(Dtype::float64);
    for (Parameter& parameter : model.parameters())
      parameter.set(random(parameter.shape(), first++));
  }
  nn::LBFGS::Closure closure() const {
    return testing::closure([this] { return mean(square(model(x) - y)); });
  }
  std::vector<double> weights() const {
    std::vector<double> all;
    for (const Parameter& parameter : model.parameters())
      for (const double value : parameter.value().to_vector<double>()) all.push_back(value);
    return all;
  }
};

}  // namespace

TEST_CASE("L-BFGS finds the minimum of Rosenbrock's function") {
  const Parameter w = rosenbrock_start();
  nn::LBFGS lbfgs({w}, {.iterations = 100});
  int calls = 0;
  const double loss = lbfgs.step(closure([&] { return rosenbrock(w); }, &calls));
  CHECK(loss < 1e-12);
  expect_values(w.value(), {1.0, 1.0}, 1e-6);
  CHECK(lbfgs.steps() == 1);
  CHECK(lbfgs.iterations() < 45);
  CHECK(calls < 70);
}

TEST_CASE("L-BFGS solves a system of n linear equations") {
  // x^T A x / 2 - b^T x with A = M^T M + I
  const Tensor m = random({6, 6}, 3);
  const Tensor b = random({6}, 4);
  const Tensor a = (matmul(transpose(Variable(m), 0, 1), Variable(m)) +
                    diag_embed(Variable(ones({6}, Dtype::float64))))
                       .value();
  const Parameter x("x", zeros({6}, Dtype::float64));
  nn::LBFGS lbfgs({x}, {.iterations = 60, .gradient_tolerance = 1e-12, .change_tolerance = 0.0});
  lbfgs.step(closure([&] {
    const Variable column = unsqueeze(Variable(x), 1);
    return sum(column * matmul(Variable(a), column)) * 0.5 - sum(Variable(x) * Variable(b));
  }));
  expect_close(squeeze(matmul(Variable(a), unsqueeze(Variable(x), 1)), 1).value(), b, 1e-6);
}

TEST_CASE("the returned loss is that of the weights and never rises") {
  const Regression problem(5);
  nn::LBFGS lbfgs(problem.model.parameters(), {.iterations = 2});
  double before = problem.closure()().first;
  for (int k = 0; k < 10; ++k) {
    const double loss = lbfgs.step(problem.closure());
    CHECK(loss == problem.closure()().first);
    CHECK(loss <= before);
    before = loss;
  }
  CHECK(lbfgs.steps() == 10);
  CHECK(lbfgs.iterations() == 20);
}

TEST_CASE("L-BFGS stops at a stationary point without moving") {
  const Parameter w("w", zeros({3}, Dtype::float64));
  nn::LBFGS lbfgs({w});
  int calls = 0;
  CHECK(lbfgs.step(closure([&] { return sum(square(Variable(w))); }, &calls)) == 0.0);
  CHECK(calls == 1);
  CHECK(lbfgs.iterations() == 0);
}

TEST_CASE("a trial step into a region where the loss is NaN is taken back") {
  // w - log(w) has its minimum at 1, and is NaN below 0: the first trial is at 4 - 4.5.
  const Parameter w("w", full({}, 4.0, Dtype::float64));
  nn::LBFGS lbfgs({w}, {.learning_rate = 6.0});
  const double loss = lbfgs.step(closure([&] { return Variable(w) - log(Variable(w)); }));
  CHECK(loss == doctest::Approx(1.0).epsilon(1e-12));
  CHECK(w.value().item() == doctest::Approx(1.0).epsilon(1e-6));
}

TEST_CASE("L-BFGS leaves frozen parameters as they are, with a history from before too") {
  const Regression problem(6);
  Parameter frozen = problem.model.parameters()[1];
  nn::LBFGS lbfgs(problem.model.parameters(), {.iterations = 3});
  lbfgs.step(problem.closure());
  frozen.freeze();
  const auto held = frozen.value().to_vector<double>();
  const double before = problem.closure()().first;
  CHECK(lbfgs.step(problem.closure()) < before);
  CHECK(frozen.value().to_vector<double>() == held);
}

TEST_CASE("L-BFGS trains float32 parameters and keeps their dtype") {
  const Parameter w("w", rosenbrock_start().value().to(Dtype::float32));
  nn::LBFGS lbfgs({w}, {.iterations = 100});
  lbfgs.step(closure([&] { return rosenbrock(w); }));
  CHECK(w.dtype() == Dtype::float32);
  expect_values(w.value(), {1.0, 1.0}, 1e-2);
}

TEST_CASE("a function that throws leaves the weights of the last iteration") {
  const Parameter w = rosenbrock_start();
  nn::LBFGS lbfgs({w}, {.iterations = 1});
  const auto loss = closure([&] { return rosenbrock(w); });
  lbfgs.step(loss);
  const auto before = w.value().to_vector<double>();
  int calls = 0;
  CHECK_THROWS_AS(lbfgs.step([&] {
    if (++calls == 2) throw std::runtime_error("interrupted");
    return loss();
  }),
                  std::runtime_error);
  CHECK(w.value().to_vector<double>() == before);
}

TEST_CASE("L-BFGS continues from a state with the same steps, bit for bit") {
  const nn::LBFGSOptions options{.iterations = 3, .history = 4};
  const Regression whole(7);
  const Regression parts(7);
  nn::LBFGS uninterrupted(whole.model.parameters(), options);
  for (int k = 0; k < 4; ++k) uninterrupted.step(whole.closure());

  nn::LBFGS first(parts.model.parameters(), options);
  for (int k = 0; k < 2; ++k) first.step(parts.closure());
  nn::LBFGS second(parts.model.parameters(), options);
  second.set_state(parts.model, first.state(parts.model));
  CHECK(second.steps() == 2);
  CHECK(second.iterations() == first.iterations());
  for (int k = 0; k < 2; ++k) second.step(parts.closure());
  CHECK(parts.weights() == whole.weights());
}

TEST_CASE("a state of L-BFGS that does not fit changes nothing and says what is wrong") {
  const Regression problem(8);
  nn::LBFGS lbfgs(problem.model.parameters(), {.iterations = 2});
  lbfgs.step(problem.closure());
  nn::NamedTensors state = lbfgs.state(problem.model);
  REQUIRE(state.size() == 3 + 2 * 2 * problem.model.parameters().size());
  const std::string path = problem.model.named_parameters()[0].name;
  CHECK(state[3].first == path + ".weight_change.0");
  state[3].second = zeros({7});
  state[4].first = "elsewhere";
  nn::LBFGS other(problem.model.parameters());
  expect_error<FormatError>([&] { other.set_state(problem.model, state); },
                            {"LBFGS", path + ".weight_change.0: [7] instead of [4,3]",
                             path + ".gradient_change.0: missing", "elsewhere: not of this"});
  CHECK(other.steps() == 0);
  state = lbfgs.state(problem.model);
  state[2].second = full({}, 1e15, Dtype::float64);
  expect_error<FormatError>([&] { other.set_state(problem.model, state); }, {"changes"});
  expect_error<ArgumentError>([&] { static_cast<void>(lbfgs.state(nn::Linear(2, 2))); },
                              {"LBFGS", "not in the module"});
}

TEST_CASE("L-BFGS refuses options out of range and a loss that is not finite") {
  const std::vector<Parameter> none;
  expect_error<ArgumentError>([&] { nn::LBFGS(none, {.learning_rate = 0.0}); },
                              {"LBFGS", "learning rate"});
  expect_error<ArgumentError>([&] { nn::LBFGS(none, {.iterations = 0}); }, {"iterations"});
  expect_error<ArgumentError>([&] { nn::LBFGS(none, {.history = 0}); }, {"history"});
  expect_error<ArgumentError>([&] { nn::LBFGS(none, {.gradient_tolerance = NAN}); },
                              {"tolerances"});
  const Parameter w("w", full({}, -1.0, Dtype::float64));
  nn::LBFGS lbfgs({w});
  expect_error<ArgumentError>([&] { lbfgs.step(closure([&] { return log(Variable(w)); })); },
                              {"LBFGS", "not finite"});
  CHECK(w.value().item() == -1.0);
  CHECK(lbfgs.steps() == 0);
}

}  // namespace unroll::testing
