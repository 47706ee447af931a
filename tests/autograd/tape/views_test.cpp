#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// What the backward pass of a loss asked for, in bytes.
std::uint64_t bytes_of_backward_pass(Tape& tape, const Variable& loss) {
  const std::uint64_t before = memory::statistics().bytes_requested;
  static_cast<void>(tape.gradients(loss));
  return memory::statistics().bytes_requested - before;
}

}  // namespace

TEST_CASE("views are no operations of the tape") {
  Tape tape;
  const Variable x = tape.watch(random({4, 6}, 1));
  const auto [a, b] = split<2>(transpose(reshape(slice(x, 0, 1, 3), {3, 4})), 1 - 1);
  CHECK(a.recorded());
  CHECK(b.recorded());
  CHECK(tape.statistics().operations == 0);
}

TEST_CASE("the gradient of a view of a view lies at its place in the base") {
  Tape tape;
  const Variable x = tape.watch(zeros({3, 4}, Dtype::float64));
  const Variable row = select(x, 0, 1);                     // 4..7
  const Variable square = transpose(reshape(row, {2, 2}));  // 4 6 / 5 7
  const Variable column = select(square, 1, 1);             // 6 7
  const Tensor weights = Tensor::of<double>({2}, {10.0, 20.0});
  const Tensor gradient = tape.gradients(sum(column * weights))[x].value();
  expect_values(gradient, {0, 0, 0, 0, 0, 0, 10, 20, 0, 0, 0, 0});
}

TEST_CASE("parts that overlap add up, in whatever order they come") {
  for (const bool forwards : {true, false}) {
    Tape tape;
    const Variable x = tape.watch(zeros({6}, Dtype::float64));
    Variable loss = zeros({}, Dtype::float64);
    for (Index k = 0; k < 5; ++k) {
      const Index begin = forwards ? k : 4 - k;
      loss = loss + sum(slice(x, 0, begin, begin + 2)) * static_cast<double>(begin + 1);
    }
    expect_values(tape.gradients(loss + sum(x))[x].value(), {2, 4, 6, 8, 10, 6});
  }
}

TEST_CASE("parts that nobody reads have the gradient zero") {
  Tape tape;
  const Variable x = tape.watch(random({5, 2}, 1));
  const Variable loss = sum(select(x, 0, 3)) + sum(select(x, 0, 1)) * 2.0;
  expect_values(tape.gradients(loss)[x].value(), {0, 0, 2, 2, 0, 0, 1, 1, 0, 0});
}

TEST_CASE("a step that is read twice after its gradient was computed in place keeps both terms") {
  // `projected` gets a term for step t by linear, which is computed at its place, and one by the
  // product; the weight's pending products still see the first.
  const Parameter w("w", random({3, 3}, 2));
  Tape tape;
  const Variable projected = tape.watch(random({4, 2, 3}, 1));
  Variable h = zeros({2, 3}, Dtype::float64);
  Variable loss = zeros({}, Dtype::float64);
  for (Index t = 0; t < 4; ++t) {
    const Variable x = select(projected, 0, t);
    h = tanh(linear(h, w, x));
    loss = loss + sum(h * x);
  }
  const Gradients got = tape.gradients(loss);

  Tape other;  // the same without views: each step is a leaf
  std::vector<Variable> steps;
  for (Index t = 0; t < 4; ++t)
    steps.push_back(other.watch(projected.value().select(0, t).clone()));
  h = zeros({2, 3}, Dtype::float64);
  loss = zeros({}, Dtype::float64);
  for (const Variable& x : steps) {
    h = tanh(linear(h, w) + clone(x));
    loss = loss + sum(h * x);
  }
  const Gradients expected = other.gradients(loss);
  expect_close(got[w].value(), expected[w].value(), 1e-14);
  for (std::size_t t = 0; t < steps.size(); ++t)
    expect_close(got[projected].value().select(0, static_cast<Index>(t)),
                 expected[steps[t]].value(), 1e-14);
}

TEST_CASE("what was computed at its place in a sequence does not change when the sequence does") {
  // x_1 has two users of equal shape: the vjp of the first finds its destination free, the second
  // adds to the same place while the gradient of the first is still to be read by tanh.
  Tape tape;
  const Variable x = tape.watch(random({3, 2}, 1));
  const Variable step = select(x, 0, 1);
  const Variable first = tape.watch(random({2}, 2)) + step;
  const Variable second = step + tanh(step);
  const Variable loss = sum(square(first) * second);
  const double f0 = first.value().at({0});
  const double s0 = second.value().at({0});
  const double x0 = step.value().at({0});
  const Tensor gradient = tape.gradients(loss)[x].value();
  const double slope = 1.0 + 1.0 - std::tanh(x0) * std::tanh(x0);
  CHECK(gradient.at({1, 0}) == doctest::Approx(2.0 * f0 * s0 + f0 * f0 * slope).epsilon(1e-13));
  CHECK(gradient.at({0, 0}) == 0.0);
}

TEST_CASE("a weight cut out at every step has its products computed as one") {
  const Parameter w("w", random({32, 96}, 1));
  const auto bytes_for = [&](Index steps) {
    Tape tape;
    Variable h = random({1, 32}, 2);
    for (Index t = 0; t < steps; ++t) h = tanh(linear(h, slice(w, 1, 32, 64)));
    return bytes_of_backward_pass(tape, sum(h));
  };
  CHECK((bytes_for(200) - bytes_for(100)) / 100 < 32 * 32 * sizeof(double));
}

TEST_CASE("the products of a transposed weight give the gradient of the weight") {
  const Parameter w("w", random({3, 5}, 1));
  const Tensor x = random({4, 5}, 2);
  Tape tape;
  const Tensor gradient = tape.gradients(sum(matmul(x, transpose(w))))[w].value();
  const Tensor columns = sum(x, {0}).value();
  for (Index i = 0; i < 3; ++i) expect_close(gradient.select(0, i), columns, 1e-14);
}

TEST_CASE("a view of values that do not lie in order is made of a copy") {
  Tape tape;
  const Variable x = tape.watch(random({2, 3}, 1).transpose(0, 1));  // a leaf with strides
  const Variable y = select(x, 0, 2);
  CHECK(tape.statistics().operations == 1);
  expect_values(tape.gradients(sum(square(y)))[x].value(),
                {0, 0, 0, 0, 2.0 * y.value().at({0}), 2.0 * y.value().at({1})});
}

TEST_CASE("steps whose gradients come in any order leave nothing between them unset") {
  const Shape shape{10, 2, 3};
  const Tensor w = random({4, 3}, 1);
  Tape tape;
  const Variable x = tape.watch(random(shape, 2));
  const Variable steps = x * 1.0;
  const Tensor shift = random({2, 3}, 3);
  // The gradient of step 9 is computed at its place, and comes back after that of step 2.
  const Variable late = select(steps, 0, 9) + shift;
  const Variable early = select(steps, 0, 2) + shift;
  const Variable of_early = linear(early, w);
  const Variable of_late = linear(late, w);
  const Variable loss = sum(of_early) + sum(of_late);
  {
    std::vector<Tensor> used;  // memory as the backward pass will find it
    for (int k = 0; k < 8; ++k) used.push_back(full(shape, 1e9, Dtype::float64));
  }
  const Tensor slope = tape.gradients(loss)[x].value();
  const Tensor row = sum(w, {0}).value().broadcast_to({2, 3});
  for (Index t = 0; t < 10; ++t)
    expect_close(slope.select(0, t), t == 2 || t == 9 ? row : zeros({2, 3}, Dtype::float64));
}

TEST_CASE("a view has no gradient of its own, a clone of it has") {
  Tape tape;
  const Variable x = tape.watch(random({2, 3}, 1));
  const Variable view = select(x, 0, 1);
  const Variable loss = sum(square(view));
  expect_error<TapeError>([&] { static_cast<void>(tape.gradients(loss, {.of = {view}})); },
                          {"of", "float64 [3]", "view", "clone"});
  const Variable copy = clone(view);
  const Gradients gradients = tape.gradients(sum(square(copy)), {.of = {copy}});
  expect_close(gradients[copy].value(), (copy * 2.0).value(), 1e-15);
  expect_error<TapeError>([&] { static_cast<void>(gradients[view]); }, {"float64 [3]"});
}

}  // namespace unroll::testing
