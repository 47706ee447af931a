#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

Variable twice(const Parameter& weight) { return Variable(weight) * 2.0; }

}  // namespace

TEST_CASE("a parameter reads as its substitute, and the gradient flows to what that is made of") {
  const Parameter weight("weight", Tensor::of<double>({2}, {3, 5}));
  const Parameter source("source", Tensor::of<double>({2}, {7, 11}));
  Tape tape;
  Variable loss;
  {
    const Substitution inside({{weight, square(Variable(source))}});
    loss = sum(twice(weight));
  }
  CHECK(loss.item() == 2.0 * (49 + 121));
  const Gradients gradients = tape.gradients(loss);
  expect_values(gradients[source].value(), {28, 44});
  expect_values(gradients[weight].value(), {0, 0});
  expect_values(twice(weight).value(), {6, 10});
}

TEST_CASE("a substitute made of the parameter itself gives that one the gradient") {
  const Parameter weight("weight", Tensor::of<double>({1}, {3}));
  Tape tape;
  const Substitution inside({{weight, square(Variable(weight))}});
  expect_values(tape.gradients(sum(twice(weight)))[weight].value(), {12});
}

TEST_CASE("the innermost substitution that has the parameter counts") {
  const Parameter a("a", Tensor::of<double>({1}, {1}));
  const Parameter b("b", Tensor::of<double>({1}, {1}));
  const Substitution outer(
      {{a, Tensor::of<double>({1}, {10})}, {b, Tensor::of<double>({1}, {20})}});
  const Substitution inner({{a, Tensor::of<double>({1}, {30})}});
  CHECK(Variable(a).item() == 30);
  CHECK(Variable(b).item() == 20);
}

TEST_CASE("what a checkpoint runs again reads the substitutes of its first run") {
  const Parameter weight("weight", Tensor::of<double>({1}, {3}));
  const Tensor x = Tensor::of<double>({1}, {2});
  Tape tape;
  const Variable leaf = tape.watch(x);
  Variable loss;
  {
    const Substitution inside({{weight, Tensor::of<double>({1}, {5})}});
    loss = checkpoint(
        [&](std::span<const Variable> in) { return sum(square(in[0]) * Variable(weight)); },
        {leaf});
  }
  expect_values(tape.gradients(loss)[leaf].value(), {20});
}

TEST_CASE("a recorded substitute that a checkpoint does not name as an input is an error") {
  const Parameter weight("weight", Tensor::of<double>({1}, {3}));
  Tape tape;
  const Variable leaf = tape.watch(Tensor::of<double>({1}, {2}));
  const Substitution inside({{weight, leaf * 2.0}});
  CHECK_THROWS_AS(
      checkpoint([&](std::span<const Variable> in) { return in[0] * Variable(weight); }, {leaf}),
      TapeError);
}

TEST_CASE("a substitute of another shape or dtype is refused, with both") {
  const Parameter weight("weight", zeros({2, 3}));
  expect_error<ShapeError>(
      [&] {
        Substitution({{weight, zeros({3, 2})}});
      },
      {"weight", "[2,3]", "[3,2]"});
  expect_error<ShapeError>([&] { Substitution({{weight, Variable()}}); }, {"weight"});
  expect_error<DtypeError>(
      [&] {
        Substitution({{weight, zeros({2, 3}, Dtype::float64)}});
      },
      {"weight", "float64"});
}

TEST_CASE("a frozen parameter is a constant, and no gradient is computed for it") {
  Parameter weight("weight", random({3, 2}, 1));
  const Tensor x = random({4, 2}, 2);
  weight.freeze();
  {
    Tape tape;
    CHECK(!matmul(x, transpose(weight)).recorded());
    CHECK(tape.statistics().operations == 0);
  }
  Tape tape;
  const Variable leaf = tape.watch(x);
  const Gradients gradients = tape.gradients(sum(matmul(leaf, transpose(weight))));
  CHECK(gradients.parameters().empty());
  weight.freeze(false);
  CHECK(Variable(weight).recorded());
}

TEST_CASE("a parameter may be frozen for one use on a tape and trained in another") {
  Parameter weight("weight", Tensor::of<double>({1}, {3}));
  for (const bool frozen_first : {true, false}) {
    Tape tape;
    weight.freeze(frozen_first);
    const Variable first(weight);
    weight.freeze(!frozen_first);
    const Variable second(weight);
    CHECK(first.recorded() != second.recorded());
    expect_values(tape.gradients(sum(first * second))[weight].value(), {3});
  }
}

TEST_CASE("a frozen parameter that changes before a checkpoint runs again is an error") {
  Parameter weight("weight", Tensor::of<double>({1}, {3}));
  weight.freeze();
  Tape tape;
  const Variable leaf = tape.watch(Tensor::of<double>({1}, {2}));
  const Variable loss =
      checkpoint([&](std::span<const Variable> in) { return in[0] * Variable(weight); }, {leaf});
  weight.set(Tensor::of<double>({1}, {4}));
  expect_error<TapeError>([&] { tape.gradients(loss); }, {"weight", "changed"});
}

}  // namespace unroll::testing
