#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/with_threads.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// Gradients (3, 0) and (0, -4), and a table whose row 1 was looked up twice: (6, 6) each time.
struct Example {
  Parameter a{"a", zeros({2}, Dtype::float64)};
  Parameter b{"b", zeros({2}, Dtype::float64)};
  Parameter table{"table", zeros({3, 2}, Dtype::float64)};

  Gradients gradients(bool with_table) const {
    Tape tape;
    Variable loss = sum(Variable(a) * Variable(Tensor::of({2}, {3.0, 0.0}))) -
                    sum(Variable(b) * Variable(Tensor::of({2}, {0.0, 4.0})));
    if (with_table)
      loss = loss + 6.0 * sum(embedding(table, Tensor::of<std::int64_t>({2}, {1, 1})));
    return tape.gradients(loss);
  }
};

}  // namespace

TEST_CASE("the global norm is that of all gradients in one vector") {
  CHECK(nn::global_norm(Example().gradients(false)) == 5.0);
}

TEST_CASE("rows that were looked up twice add up before they are squared") {
  // 3^2 + 4^2 + 12^2 + 12^2
  CHECK(nn::global_norm(Example().gradients(true)) == doctest::Approx(std::sqrt(313.0)));
}

TEST_CASE("clipping scales every gradient by one factor and returns the norm before") {
  const Example example;
  Gradients gradients = example.gradients(false);
  CHECK(nn::clip_by_global_norm(gradients, 2.5) == 5.0);
  expect_values(gradients[example.a].value(), {1.5, 0.0}, 1e-15);
  expect_values(gradients[example.b].value(), {0.0, -2.0}, 1e-15);
  CHECK(nn::global_norm(gradients) == doctest::Approx(2.5).epsilon(1e-14));
}

TEST_CASE("clipping scales sparse rows and keeps them sparse") {
  const Example example;
  Gradients gradients = example.gradients(true);
  nn::clip_by_global_norm(gradients, std::sqrt(313.0) / 2.0);
  CHECK_FALSE(gradients.parameters().back().dense.defined());
  expect_values(gradients[example.table].value(), {0.0, 0.0, 6.0, 6.0, 0.0, 0.0}, 1e-14);
  expect_values(gradients[example.a].value(), {1.5, 0.0}, 1e-15);
}

TEST_CASE("gradients within the bound stay bit for bit as they are") {
  const Example example;
  for (double bound : {5.0, 5.1, 1e300, std::numeric_limits<double>::infinity()}) {
    Gradients gradients = example.gradients(false);
    CHECK(nn::clip_by_global_norm(gradients, bound) == 5.0);
    CHECK(gradients[example.a].value().to_vector<double>() == std::vector<double>{3.0, 0.0});
    CHECK(gradients[example.b].value().to_vector<double>() == std::vector<double>{0.0, -4.0});
  }
}

TEST_CASE("the norm of float32 gradients does not overflow") {
  const Parameter w("w", zeros({2}));
  Tape tape;
  Gradients gradients = tape.gradients(sum(Variable(w) * Variable(full({2}, 1e30))));
  CHECK(nn::clip_by_global_norm(gradients, 1.0) == doctest::Approx(std::sqrt(2.0) * 1e30));
  expect_values(gradients[w].value(), {std::sqrt(0.5), std::sqrt(0.5)}, 1e-6);
}

TEST_CASE("a NaN in a gradient shows in the norm that is returned") {
  const Parameter w("w", zeros({2}, Dtype::float64));
  Tape tape;
  const Variable slope(Tensor::of({2}, {1.0, std::numeric_limits<double>::quiet_NaN()}));
  Gradients gradients = tape.gradients(sum(Variable(w) * slope));
  CHECK(std::isnan(nn::clip_by_global_norm(gradients, 1.0)));
}

TEST_CASE("clipping changes no gradient that somebody holds") {
  const Example example;
  Gradients gradients = example.gradients(true);
  const Gradients copy = gradients;
  const Tensor held = gradients[example.a].value();
  nn::clip_by_global_norm(gradients, 0.5);
  expect_values(held, {3.0, 0.0}, 0.0);
  CHECK(nn::global_norm(copy) == doctest::Approx(std::sqrt(313.0)));
  CHECK(nn::global_norm(gradients) == doctest::Approx(0.5));
}

TEST_CASE("parameters that share one gradient are each scaled once") {
  const Parameter a("a", zeros({2}, Dtype::float64));
  const Parameter b("b", zeros({2}, Dtype::float64));
  Tape tape;
  const Variable slope(Tensor::of({2}, {2.0, 0.0}));
  Gradients gradients = tape.gradients(sum((Variable(a) + Variable(b)) * slope));
  nn::clip_by_global_norm(gradients, std::sqrt(2.0));
  expect_values(gradients[a].value(), {1.0, 0.0}, 1e-15);
  expect_values(gradients[b].value(), {1.0, 0.0}, 1e-15);
}

TEST_CASE("a clipped gradient of a differentiable backward pass can still be differentiated") {
  const Parameter w("w", full({}, 2.0, Dtype::float64));
  Tape tape;
  const Variable x(w);
  Gradients gradients = tape.gradients(x * x * x, {.differentiable = true});  // 3 x^2 = 12
  CHECK(nn::clip_by_global_norm(gradients, 6.0) == 12.0);
  CHECK(gradients[w].item() == 6.0);
  CHECK(tape.gradients(gradients[w])[w].item() == 6.0);  // 6 x, times the factor 1 / 2
}

TEST_CASE("the norm and the clipped gradients are the same bit for bit on any number of threads") {
  const Parameter long_one("long", zeros({400'003}));
  const Parameter short_one("short", zeros({5}));
  const Parameter table("table", zeros({300, 7}));
  const Tensor slopes = random({400'003}, 1).to(Dtype::float32);
  const Tensor rows = uniform({2000}, 0.0, 300.0).to(Dtype::int64);
  const auto run = [&](int count) {
    const WithThreads guard(count);
    Tape tape;
    Gradients gradients = tape.gradients(sum(Variable(long_one) * Variable(slopes)) +
                                         sum(Variable(short_one)) + sum(embedding(table, rows)));
    std::vector<double> numbers = {nn::clip_by_global_norm(gradients, 10.0)};
    for (const Parameter& parameter : {long_one, short_one, table}) {
      const auto values = gradients[parameter].value().to_vector<double>();
      numbers.insert(numbers.end(), values.begin(), values.end());
    }
    return numbers;
  };
  const std::vector<double> one = run(1);
  double squares = 25.0 / 5.0;
  for (double slope : slopes.to_vector<double>()) squares += slope * slope;
  std::vector<double> looked_up(300, 0.0);
  for (double row : rows.to_vector<double>()) ++looked_up[static_cast<std::size_t>(row)];
  for (double count : looked_up) squares += 7.0 * count * count;
  CHECK(one[0] == doctest::Approx(std::sqrt(squares)).epsilon(1e-12));
  CHECK(run(2) == one);
  CHECK(run(3) == one);
}

TEST_CASE("a bound that is not positive is refused") {
  for (double bound : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    Gradients gradients = Example().gradients(false);
    expect_error<ArgumentError>([&] { nn::clip_by_global_norm(gradients, bound); },
                                {"clip_by_global_norm", "positive"});
  }
}

TEST_CASE("the norm of float64 gradients neither overflows nor underflows") {
  for (const double size : {1e200, 1e-200}) {
    const Parameter w("w", ones({2}, Dtype::float64));
    Tape tape;
    Gradients gradients =
        tape.gradients(sum(Variable(w) * Tensor::of<double>({2}, {3.0 * size, 4.0 * size})));
    CHECK(nn::global_norm(gradients) == doctest::Approx(5.0 * size).epsilon(1e-14));
    nn::clip_by_global_norm(gradients, size);
    CHECK(gradients[w].value().at({0}) == doctest::Approx(0.6 * size).epsilon(1e-14));
  }
}

TEST_CASE("gradients of which one is infinite stay as they are") {
  const Parameter w("w", ones({2}));
  Tape tape;
  Gradients gradients =
      tape.gradients(sum(Variable(w) * Tensor::of<float>({2}, {3.0F, HUGE_VALF})));
  CHECK(nn::clip_by_global_norm(gradients, 1.0) == HUGE_VAL);
  CHECK(gradients[w].value().to_vector<float>() == std::vector<float>{3.0F, HUGE_VALF});
}

TEST_CASE("clipping by norm scales the gradient of each parameter on its own") {
  const Example example;
  Gradients gradients = example.gradients(true);
  nn::clip_by_norm(gradients, 3.5);
  expect_values(gradients[example.a].value(), {3.0, 0.0}, 0.0);
  expect_values(gradients[example.b].value(), {0.0, -3.5}, 1e-15);
  const double row = 3.5 / std::sqrt(2.0);  // 12, 12 before: two lookups of 6
  CHECK_FALSE(gradients.parameters().back().dense.defined());
  expect_values(gradients[example.table].value(), {0.0, 0.0, row, row, 0.0, 0.0}, 1e-14);
}

TEST_CASE("clipping by norm leaves a gradient alone that is not finite") {
  const Parameter good("good", ones({2}));
  const Parameter bad("bad", ones({2}));
  Tape tape;
  Gradients gradients = tape.gradients(sum(Variable(good) * 8.0) +
                                       sum(Variable(bad) * Tensor::of<float>({2}, {3.0F, NAN})));
  nn::clip_by_norm(gradients, std::sqrt(2.0));
  expect_values(gradients[good].value(), {1.0, 1.0}, 1e-6);
  CHECK(gradients[bad].value().at({0}) == 3.0);
}

TEST_CASE("clipping by value limits every element, infinities included, and keeps a NaN") {
  const Parameter w("w", ones({5}, Dtype::float64));
  Tape tape;
  const Variable slope(Tensor::of<double>({5}, {0.5, -7.0, HUGE_VAL, -HUGE_VAL, NAN}));
  Gradients gradients = tape.gradients(sum(Variable(w) * slope));
  const Tensor held = gradients[w].value();
  nn::clip_by_value(gradients, 2.0);
  expect_values(gradients[w].value(), {0.5, -2.0, 2.0, -2.0, NAN}, 0.0);
  CHECK(held.at({1}) == -7.0);
}

TEST_CASE("clipping by value adds up the lookups of a row first and keeps it sparse") {
  const Parameter table("table", zeros({4, 2}, Dtype::float64));
  Tape tape;
  const Variable y = embedding(table, Tensor::of<std::int64_t>({4}, {3, 1, 3, 1}));
  // Row 3: (3, 3) + (-2, 3), row 1: (9, 1) + (-8, 1).
  const Variable slope(Tensor::of({4, 2}, {3.0, 3.0, 9.0, 1.0, -2.0, 3.0, -8.0, 1.0}));
  Gradients gradients = tape.gradients(sum(y * slope));
  REQUIRE_FALSE(gradients.parameters()[0].dense.defined());
  nn::clip_by_value(gradients, 2.5);
  CHECK_FALSE(gradients.parameters()[0].dense.defined());
  expect_values(gradients[table].value(), {0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 1.0, 2.5}, 0.0);
}

TEST_CASE("a gradient that was clipped by value can still be differentiated") {
  const Parameter w("w", Tensor::of<double>({2}, {1.0, 2.0}));
  Tape tape;
  const Variable x(w);
  Gradients gradients = tape.gradients(sum(x * x * x), {.differentiable = true});  // 3, 12
  nn::clip_by_value(gradients, 6.0);
  expect_values(gradients[w].value(), {3.0, 6.0}, 0.0);
  expect_values(tape.gradients(sum(gradients[w]))[w].value(), {6.0, 0.0}, 0.0);  // 6 x
}

TEST_CASE("clipping by norm or value refuses a bound that is not positive") {
  for (double bound : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    Gradients gradients = Example().gradients(false);
    expect_error<ArgumentError>([&] { nn::clip_by_norm(gradients, bound); },
                                {"clip_by_norm", "positive"});
    expect_error<ArgumentError>([&] { nn::clip_by_value(gradients, bound); },
                                {"clip_by_value", "positive"});
  }
}
