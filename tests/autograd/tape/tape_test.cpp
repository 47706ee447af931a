#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

Tensor scalar(double x) { return full({}, x, Dtype::float64); }
Tensor vector(std::initializer_list<double> x) {
  return Tensor::of<double>({static_cast<Index>(x.size())}, x);
}

}  // namespace

TEST_CASE("a gradient follows the chain rule") {
  Tape tape;
  const Variable x = tape.watch(vector({1, 2, 3}));
  const Variable loss = sum(x * x * 0.5);
  expect_values(tape.gradients(loss)[x].value(), {1, 2, 3});
}

TEST_CASE("without a tape nothing is recorded") {
  CHECK(Tape::active() == nullptr);
  const Parameter w("w", vector({1, 2}));
  const Variable y = tanh(Variable(w) * 2.0);
  CHECK_FALSE(Variable(w).recorded());
  CHECK_FALSE(y.recorded());
}

TEST_CASE("the bytes of the record are those of its nodes and of what their vjps keep") {
  Tape tape;
  CHECK(tape.statistics().bytes == 0);
  const Variable x = tape.watch(vector({1, 2}));
  const Variable y = x * x;
  const std::size_t one = tape.statistics().bytes;
  CHECK(one > 0);
  const Variable z = sum(y * x);
  const std::size_t all = tape.statistics().bytes;
  CHECK(all > 2 * one);
  tape.gradients(z);
  const std::size_t afterwards = tape.statistics().bytes;
  CHECK(afterwards < all);
  tape.watch(zeros({1000}));
  CHECK(tape.statistics().bytes == afterwards);
}

TEST_CASE("operations on constants are not recorded") {
  Tape tape;
  const Variable y = tanh(Variable(vector({1, 2})) * 2.0);
  CHECK_FALSE(y.recorded());
  CHECK(tape.statistics().operations == 0);
}

TEST_CASE("operations that depend on a leaf are recorded, each once") {
  Tape tape;
  const Variable x = tape.watch(vector({1, 2}));
  const Variable c = vector({3, 4});
  const Variable y = x * c;
  CHECK(y.recorded());
  const Variable z = sum(y);
  CHECK(z.recorded());
  CHECK(tape.statistics().operations == 2);
  CHECK(tape.statistics().saved == 2);
}

TEST_CASE("a parameter is one leaf however often it is used") {
  const Parameter w("w", vector({2, 3}));
  Tape tape;
  const Variable loss = sum(Variable(w) * Variable(w) * Variable(w));
  const Gradients gradients = tape.gradients(loss);
  expect_values(gradients[w].value(), {12, 27});
  CHECK(gradients.parameters().size() == 1);
}

TEST_CASE("the gradients name the parameters of the loss in the order of first use") {
  const Parameter a("a", scalar(2));
  const Parameter b("b", scalar(3));
  const Parameter unused("unused", vector({1, 1}));
  Tape tape;
  const Variable first = Variable(b) * 5.0;
  const Variable loss = Variable(a) * Variable(a) + first;
  const Gradients gradients = tape.gradients(loss);
  REQUIRE(gradients.parameters().size() == 2);
  CHECK(gradients.parameters()[0].parameter == b);
  CHECK(gradients.parameters()[1].parameter == a);
  CHECK(gradients[a].item() == 4.0);
  CHECK(gradients[b].item() == 5.0);
  expect_values(gradients[unused].value(), {0, 0});
}

TEST_CASE("a leaf that the loss does not depend on has gradient zero") {
  Tape tape;
  const Variable x = tape.watch(vector({1, 2}));
  const Variable y = tape.watch(scalar(5));
  const Variable ignored = x * 3.0;
  expect_values(tape.gradients(y * y)[x].value(), {0, 0});
}

TEST_CASE("a leaf may itself be the loss") {
  Tape tape;
  const Variable x = tape.watch(scalar(5));
  CHECK(tape.gradients(x)[x].item() == 1.0);
}

TEST_CASE("detached values are constants") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable y = detach(x * x);
  CHECK_FALSE(y.recorded());
  CHECK(tape.gradients(y * x)[x].item() == 9.0);
}

TEST_CASE("a seed weights the elements of the loss") {
  Tape tape;
  const Variable x = tape.watch(vector({1, 2, 3}));
  GradientOptions options;
  options.seed = vector({1, 10, 100});
  expect_values(tape.gradients(x * x, options)[x].value(), {2, 40, 600});
}

TEST_CASE("the gradient of a variable inside the graph can be asked for") {
  Tape tape;
  const Variable x = tape.watch(scalar(2));
  const Variable y = x * x;
  const Variable z = y * y;
  const Variable apart = x * 7.0;
  const Variable loss = z * 3.0;
  const Gradients gradients = tape.gradients(loss, {.of = {y, loss, apart, x}});
  CHECK(gradients[y].item() == 24.0);
  CHECK(gradients[loss].item() == 1.0);
  CHECK(gradients[apart].item() == 0.0);
  CHECK(gradients[x].item() == 96.0);
}

TEST_CASE("several losses of one tape are differentiated in turn when the first retains") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable y = x * x;
  const Variable first = y * 2.0;
  const Variable second = y * y;
  CHECK(tape.gradients(first, {.retain = true})[x].item() == 12.0);
  CHECK(tape.statistics().saved == tape.statistics().operations);
  CHECK(tape.gradients(second, {.retain = true})[x].item() == 108.0);
  CHECK(tape.gradients(first)[x].item() == 12.0);  // nothing accumulated from before
  CHECK(tape.statistics().saved == 1);             // the square of y, which `first` does not use
}

TEST_CASE("a backward pass frees what each operation saved") {
  Tape tape;
  const Variable x = tape.watch(zeros({1000}, Dtype::float64));
  const Index before = bytes_in_use();
  Variable y = x;
  for (int i = 0; i < 10; ++i) y = tanh(y * 1.5);
  const Variable loss = sum(y);
  y = Variable();
  CHECK(bytes_in_use() - before > 10 * 8000);
  static_cast<void>(tape.gradients(loss));
  CHECK(tape.statistics().saved == 0);
  CHECK(bytes_in_use() - before < 2 * 8000);
}

TEST_CASE("recording goes on after a backward pass, over the same leaves") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  CHECK(tape.gradients(x * x)[x].item() == 6.0);
  CHECK(tape.gradients(x * x * x)[x].item() == 27.0);
}

TEST_CASE("tapes nest, and the innermost records") {
  const Parameter w("w", scalar(3));
  Tape outer;
  const Variable x = outer.watch(scalar(2));
  const Variable before = x * Variable(w);
  {
    Tape inner;
    CHECK(Tape::active() == &inner);
    const Variable y = inner.watch(scalar(5));
    CHECK(inner.gradients(y * Variable(w))[w].item() == 5.0);
    CHECK(outer.statistics().operations == 1);
  }
  CHECK(Tape::active() == &outer);
  const Gradients gradients = outer.gradients(before * Variable(w));
  CHECK(gradients[x].item() == 9.0);
  CHECK(gradients[w].item() == 12.0);
}

TEST_CASE("gradients can be taken from an outer tape while an inner one is alive") {
  Tape outer;
  const Variable x = outer.watch(scalar(2));
  const Variable loss = x * x;
  Tape inner;
  CHECK(outer.gradients(loss)[x].item() == 4.0);
  CHECK(Tape::active() == &inner);
  CHECK(inner.statistics().operations == 0);
}

TEST_CASE("tapes may end in any order") {
  auto first = std::make_unique<Tape>();
  auto second = std::make_unique<Tape>();
  auto third = std::make_unique<Tape>();
  second.reset();
  CHECK(Tape::active() == third.get());
  first.reset();
  const Variable x = third->watch(scalar(2));
  CHECK(third->gradients(x * x)[x].item() == 4.0);
  third.reset();
  CHECK(Tape::active() == nullptr);
}

TEST_CASE("an exception while recording leaves the tape as usable as before") {
  Tape tape;
  const Variable x = tape.watch(vector({1, 2, 3}));
  const Variable y = x * x;
  CHECK_THROWS_AS(y + Variable(vector({1, 2})), ShapeError);
  CHECK_THROWS_AS(matmul(y, y), ShapeError);
  CHECK(tape.statistics().operations == 1);
  expect_values(tape.gradients(sum(y))[x].value(), {2, 4, 6});
}

TEST_CASE("an exception from a user's derivative leaves no recording in its wake") {
  Tape tape;
  const Variable x = tape.watch(scalar(3));
  const Variable broken = record("broken", scalar(1), [x](const Variable&, BackwardPass&) {
    throw std::runtime_error("no derivative");
  });
  CHECK_THROWS_WITH(tape.gradients(broken), "no derivative");
  CHECK(Tape::active() == &tape);
  CHECK_THROWS_WITH(tape.gradients(broken, {.differentiable = true}), "no derivative");
  CHECK(Tape::active() == &tape);
  CHECK(tape.gradients(x * x)[x].item() == 6.0);
}

TEST_CASE("a tape that a derivative makes for itself leaves the plain backward pass unrecorded") {
  Tape tape;
  const Variable x = tape.watch(ones({2}, Dtype::float64));
  const Variable y = exp(x);
  const Variable z = record("inner", y.value(), [y](const Variable& g, BackwardPass& pass) {
    {
      Tape inner;
      CHECK(Tape::active() == &inner);
    }
    CHECK(Tape::active() == nullptr);
    pass.add(y, g);
  });
  tape.gradients(sum(z));
  CHECK(Tape::active() == &tape);
  CHECK(tape.statistics().operations == 3);
}

TEST_CASE("gradients are values: they outlive their tape") {
  const Parameter w("w", vector({1, 2}));
  Gradients gradients;
  {
    Tape tape;
    gradients = tape.gradients(sum(square(Variable(w))));
  }
  expect_values(gradients[w].value(), {2, 4});
}

TEST_CASE(
    "with a differentiable backward pass, gradients have gradients, to any depth that ops "
    "support") {
  Tape tape;
  const Variable x = tape.watch(scalar(0.7));
  // y = x^4: 4 x^3, 12 x^2, 24 x
  const Variable y = square(square(x));
  const Variable first = tape.gradients(y, {.differentiable = true})[x];
  const Variable second = tape.gradients(first, {.differentiable = true})[x];
  const Variable third = tape.gradients(second)[x];
  CHECK(first.item() == doctest::Approx(4 * 0.343));
  CHECK(second.item() == doctest::Approx(12 * 0.49));
  CHECK(third.item() == doctest::Approx(24 * 0.7));
}

TEST_CASE("two backward passes over the same operations give the same bits") {
  const Parameter w("w", uniform({40, 40}, -1, 1));
  const auto run = [&] {
    Tape tape;
    Variable h = ones({8, 40});
    for (int t = 0; t < 20; ++t) h = tanh(matmul(h, w));
    return tape.gradients(sum(h * h))[w].value().to_vector<float>();
  };
  CHECK(run() == run());
}

TEST_CASE("losses that share no operation free nothing of each other") {
  Tape tape;
  const Variable x = tape.watch(full({}, 3.0, Dtype::float64));
  const Variable first = square(x);
  const Variable second = exp(x) * x;
  CHECK(tape.gradients(first)[x].item() == 6.0);
  CHECK(tape.gradients(second)[x].item() == doctest::Approx(4.0 * std::exp(3.0)));
  CHECK_THROWS_AS(tape.gradients(first), TapeError);
}

TEST_CASE("gradients list the parameters that the loss depends on, and are zero for others") {
  const Parameter used("used", ones({2}));
  const Parameter unused("unused", ones({3}));
  Tape tape;
  const Variable other(unused);
  const Gradients gradients = tape.gradients(sum(square(Variable(used))));
  CHECK(gradients.parameters().size() == 1);
  CHECK(gradients.parameters()[0].parameter == used);
  CHECK(gradients[unused].value().to_vector<double>() == std::vector<double>{0, 0, 0});
  CHECK(gradients[other].value().to_vector<double>() == std::vector<double>{0, 0, 0});
}

TEST_CASE("a sum of gradients that can be differentiated can be differentiated") {
  const Parameter w("w", full({}, 3.0, Dtype::float64));
  Tape tape;
  const Variable v(w);
  Gradients total = tape.gradients(v * v * v, {.differentiable = true});
  total += tape.gradients(square(v) * 2.0, {.differentiable = true});
  CHECK(total[w].item() == 27.0 + 12.0);
  CHECK(tape.gradients(total[w])[w].item() == 18.0 + 4.0);
}

}  // namespace unroll::testing
