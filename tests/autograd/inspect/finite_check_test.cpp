#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <limits>
#include <string>

#include "support/expect.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <class F>
NonFiniteError::Where found(F&& f) {
  try {
    f();
  } catch (const NonFiniteError& error) {
    return error.where;
  }
  return {};
}

}  // namespace

TEST_CASE("the first operation whose result is not finite is named, with place and element") {
  const FiniteCheck check;
  Tape tape;
  const Variable x = tape.watch(Tensor::of({2, 3}, {1.0, 2.0, 3.0, 4.0, -5.0, 6.0}));
  const auto f = [&] {
    const Scope decoder("decoder"), step = Scope::time_step(17), layer("l0");
    log(x * 2.0);
  };
  expect_error<NonFiniteError>(
      f, {"log in decoder.l0 at time step 17: ", "element [1,1] of the result [2,3] is nan",
          "; its inputs are finite: [2,3]"});
  const auto where = found(f);
  CHECK(where.operation == "log");
  CHECK(where.module == "decoder.l0");
  CHECK(where.time_step == 17);
  CHECK(!where.is_gradient);
}

TEST_CASE("a number that came in as a leaf or a constant is traced to it") {
  const FiniteCheck check;
  Tape tape;
  const Variable x = tape.watch(ones({2}));
  const Tensor data = Tensor::of({2}, {0.0, -kInfinity});
  expect_error<NonFiniteError>(
      [&] { x.value().to(Dtype::float64), data + tape.watch(data); },
      {"add: ", "so was its input 0, a constant: element [1] of [2] is -inf"});
  const Parameter weight("weight", Tensor::of({2}, {kNan, 0.0}));
  const Variable y = tape.watch(ones({2}, Dtype::float64));
  expect_error<NonFiniteError>([&] { y* weight; }, {"mul: element [0] of the result [2] is nan",
                                                    "so was its input 1, the parameter 'weight'"});
}

TEST_CASE("a scalar has no element to name") {
  const FiniteCheck check;
  Tape tape;
  const Variable x = tape.watch(full({}, 0.0));
  expect_error<NonFiniteError>([&] { log(x); }, {"log: the result [] is -inf"});
}

TEST_CASE("a result of several is named by number") {
  const FiniteCheck check;
  Tape tape;
  const Variable x = tape.watch(full({1}, -1.0));
  expect_error<NonFiniteError>(
      [&] {
        pointwise(
            "pair",
            [](auto v) {
              return std::pair{v * v, log(v)};
            },
            x);
      },
      {"pair: element [0] of result 1 [1] is nan", "its inputs are finite"});
}

TEST_CASE("a gradient that is not finite is traced to the vjp that it comes from") {
  const FiniteCheck check;
  Tape tape;
  const Variable x = tape.watch(Tensor::of({3}, {1.0, 0.0, 4.0}));
  Variable y;
  {
    const Scope norm("norm"), step = Scope::time_step(2);
    y = x * 1.0;
  }
  const Scope head("head");
  const Variable loss = sum(sqrt(y));  // finite itself, with the slope 1 / (2 sqrt 0)
  expect_error<NonFiniteError>(
      [&] { tape.gradients(loss, {.retain = true}); },
      {"gradients: element [1] of the gradient of mul in norm at time step 2 [3] is inf",
       "it comes from the vjp of sqrt in head", "the gradients that it got are finite"});
  const auto where = found([&] { tape.gradients(loss); });
  CHECK(where.is_gradient);
  CHECK(where.operation == "mul");
  CHECK(where.module == "norm");
  CHECK(where.time_step == 2);
}

TEST_CASE("the gradient of a leaf is looked at too, and all that add to it are named") {
  const FiniteCheck check;
  const Parameter weight("weight", Tensor::of({2}, {0.0, 1.0}));
  Tape tape;
  Variable loss = sum(sqrt(weight));
  for (int k = 0; k < 4; ++k) loss = loss + sum(exp(weight));
  expect_error<NonFiniteError>([&] { tape.gradients(loss); },
                               {"element [0] of the gradient of the parameter 'weight' [2] is inf",
                                "the sum of what these vjps added: exp, exp, exp and 2 more"});
  Tape second;
  const Variable x = second.watch(full({}, 0.0));
  expect_error<NonFiniteError>(
      [&] { second.gradients(sqrt(x)); },
      {"the gradient of a watched variable [] is inf", "it comes from the vjp of sqrt"});
}

TEST_CASE("infinities can be allowed, as masks need them") {
  const Tensor mask = Tensor::of({2}, {0.0, -kInfinity});
  const FiniteCheck check({.infinity = false});
  Tape tape;
  const Variable x = tape.watch(ones({2}, Dtype::float64));
  const Variable y = softmax(x + mask, 0);
  CHECK(y.value().at({1}) == 0.0);
  CHECK_THROWS_AS(x + full({2}, kNan, Dtype::float64), NonFiniteError);
}

TEST_CASE("a program that is finite runs as if nobody looked, and after an error goes on") {
  const auto slope = [] {
    Tape tape;
    const Variable x = tape.watch(full({}, 2.0, Dtype::float64));
    const Variable y = exp(x) * x;
    return tape.gradients(y)[x].item();
  };
  const double expected = slope();
  const FiniteCheck check;
  CHECK(slope() == expected);
  Tape tape;
  const Variable x = tape.watch(full({}, -1.0, Dtype::float64));
  const Variable y = x * x;
  CHECK_THROWS_AS(log(x), NonFiniteError);
  CHECK(tape.gradients(y)[x].item() == -2.0);
}

TEST_CASE("after a backward pass that was stopped, scopes are as before") {
  const FiniteCheck check;
  Graph graph;
  Tape tape;
  const Scope outside("outside");
  Variable loss;
  {
    const Scope inside("inside");
    loss = sqrt(tape.watch(full({}, 0.0)) * 1.0);
  }
  CHECK_THROWS_AS(tape.gradients(loss), NonFiniteError);
  exp(tape.watch(full({}, 0.0)));
  CHECK(graph.nodes().back().module() == "outside");
}
