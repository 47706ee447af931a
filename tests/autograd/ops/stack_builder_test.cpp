#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <autograd/ops/stack_builder.hpp>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("a stack is built in any order, and is what stack makes") {
  const Tensor a = random({2, 3}, 1);
  const Tensor b = random({2, 3}, 2);
  const Tensor c = random({2, 3}, 3);
  for (int axis : {0, 1, 2, -1}) {
    detail::StackBuilder builder(3, axis);
    builder.put(2, c);
    builder.put(0, a);
    builder.put(1, b);
    expect_close(builder.finish().value(), stack({a, b, c}, axis).value(), 0.0);
  }
}

TEST_CASE("what was put goes on in the stack's memory, as the same variable") {
  Tape tape;
  const Variable x = tape.watch(random({2, 3}, 1));
  const Variable y = x * 2.0;
  detail::StackBuilder builder(2);
  const Variable placed = builder.put(1, y);
  expect_close(placed.value(), y.value(), 0.0);
  CHECK_FALSE(placed.value().shares_buffer(y.value()));
  builder.put(0, x);
  const Variable whole = builder.finish();
  CHECK(placed.value().shares_buffer(whole.value()));
  // d/dx of the sum of x, 2 x and (2 x)^2
  const Variable loss = sum(whole) + sum(placed * y);
  expect_close(tape.gradients(loss)[x].value(), (Variable(x.value()) * 8.0 + 3.0).value());
}

TEST_CASE("a view that lies otherwise than in the stack stays where it is") {
  Tape tape;
  const Variable x = tape.watch(random({3, 2}, 1));
  const Variable turned = transpose(x);
  detail::StackBuilder builder(1);
  const Variable placed = builder.put(0, turned);
  CHECK(placed.value().shares_buffer(x.value()));
  const Tensor weights = random({2, 3}, 2);
  const Variable loss = sum(select(builder.finish(), 0, 0) * weights) + sum(placed);
  const Tensor slope = tape.gradients(loss)[x].value();
  expect_close(slope, (Variable(weights.transpose(0, 1)) + 1.0).value());
}

TEST_CASE("a stack says what does not fit it") {
  const Tensor a = random({2, 3}, 1);
  expect_error<ArgumentError>([] { detail::StackBuilder{0}; }, {"stack", "at least one"});
  detail::StackBuilder builder(2);
  builder.put(0, a);
  expect_error<ArgumentError>([&] { builder.put(2, a); }, {"stack", "position 2", "0..1"});
  expect_error<ArgumentError>([&] { builder.put(-1, a); }, {"stack", "position -1"});
  expect_error<ArgumentError>([&] { builder.put(0, a); }, {"stack", "position 0", "before"});
  expect_error<ArgumentError>([&] { builder.put(1, {}); }, {"stack", "tensor 1", "undefined"});
  expect_error<ShapeError>(
      [&] {
        builder.put(1, random({3, 2}, 1));
      },
      {"stack", "float64 [2,3]", "float64 [3,2]"});
  expect_error<DtypeError>(
      [&] {
        builder.put(1, zeros({2, 3}));
      },
      {"stack", "float64 [2,3]", "float32 [2,3]"});
  expect_error<ArgumentError>([&] { builder.finish(); }, {"stack", "tensor 1 of 2", "missing"});
  builder.put(1, a);
  builder.finish();
  expect_error<ArgumentError>([&] { builder.put(1, a); }, {"stack", "position 1", "before"});
}

}  // namespace unroll::testing
