// What nn::gradcheck adds to gradcheck: a module's parameters, and what a recurrent layer owes.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <string>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// project() takes the mean over time, which no step can know.
class Smoothed : public nn::Cell {
 public:
  Smoothed() : Cell(2, {2}) {}
  Variable project(const Variable& x) const override { return x + mean(x, {0}, true); }
  nn::Step step(const Variable& x, const nn::State& h) const override { return {tanh(x + h[0])}; }
};

/// A positive state, of which it takes the logarithm.
class Multiplied : public nn::Cell {
 public:
  Multiplied() : Cell(2, {2}) {}
  nn::State initial_state(Index batch, Dtype dtype) const override {
    return {ones({batch, 2}, dtype)};
  }
  nn::Step step(const Variable& x, const nn::State& h) const override {
    return {exp(0.5 * log(h[0]) + x)};
  }
};

/// Its second layer has half the gradient that it should.
class Halved : public nn::Module {
 public:
  Variable operator()(const Variable& x) const {
    const Variable y = second(tanh(first(x)));
    return 0.5 * y + 0.5 * detach(y) + 0.0 * sum(x);
  }
  nn::Linear first = add("first", nn::Linear(2, 2));
  nn::Linear second = add("second", nn::Linear(2, 2));
};

}  // namespace

TEST_CASE("a report calls a parameter by its path, so that two of one name are told apart") {
  const Halved model;
  const GradcheckReport report = nn::gradcheck(
      model, [&](std::span<const Variable> in) { return model(in[0]); }, {random({3, 2}, 1)});
  CHECK(!report.passed);
  const auto named = [&](const std::string& name) {
    return std::any_of(report.failures.begin(), report.failures.end(),
                       [&](const GradcheckFailure& one) { return one.input == name; });
  };
  CHECK(named("second.weight"));
  CHECK(named("first.weight"));
  CHECK(!named("weight"));
}

TEST_CASE(
    "a cell is checked where it lives: from its own initial state, on the same side of zero") {
  const nn::Recurrent rnn{Multiplied()};
  const Tensor x = random({3, 2, 2}, 1);
  CHECK(nn::gradcheck(rnn, x));
  CHECK(nn::gradgradcheck(rnn, x));
  CHECK(nn::check_cell(Multiplied()));
}

TEST_CASE("names of parameters are as many as the parameters") {
  const Parameter weight("weight", random({2}, 1));
  const auto f = [&](const Variable& x) { return sum(x * Variable(weight)); };
  expect_error<ArgumentError>(
      [&] {
        gradcheck(f, random({2}, 2), {.parameters = {weight}, .parameter_names = {"a", "b"}});
      },
      {"2 names", "1 parameters"});
}

TEST_CASE("a projection that mixes time steps does not pass, though its gradients are right") {
  const GradcheckReport report = nn::gradcheck(nn::Recurrent(Smoothed()), random({4, 2, 2}, 1));
  CHECK(!report.passed);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].cause == Cause::mixes_time_steps);
  CHECK(report.to_string().find("Smoothed") != std::string::npos);
}

TEST_CASE("a layer with dropout passes, with the same numbers at every evaluation") {
  const GradcheckReport report =
      nn::gradcheck(nn::Recurrent(nn::OutputDropout(nn::GRU(2, 3), 0.5)), random({4, 2, 2}, 1));
  CHECK_MESSAGE(report.passed, report.to_string());
}

TEST_CASE("frozen parameters are left out") {
  nn::Linear linear(2, 3);
  linear.freeze();
  const GradcheckReport report = nn::gradcheck(
      linear, [&](std::span<const Variable> in) { return linear(in[0]); }, {random({3, 2}, 1)});
  CHECK(report.passed);
  CHECK(report.checked == 6);
}

}  // namespace unroll::testing
