#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <cmath>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// The step of an LSTM: several outputs that share terms.
const auto lstm = [](auto i, auto f, auto g, auto o, auto c) {
  auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::pair{sigmoid(o) * tanh(next), next};
};

Variable lstm_step(std::span<const Variable> x) {
  const auto [h, c] = pointwise(lstm, x[0], x[1], x[2], x[3], x[4]);
  return h * 2.0 + square(c);
}

void expect_gradients(const DifferentiableFunction& f, const std::vector<Tensor>& inputs) {
  const GradcheckReport first = gradcheck(f, inputs);
  CHECK_MESSAGE(first.passed, "first order: " << first.to_string());
  const GradcheckReport second = gradgradcheck(f, inputs);
  CHECK_MESSAGE(second.passed, "second order: " << second.to_string());
}

}  // namespace

TEST_CASE("several outputs are differentiated together, to the second order") {
  expect_gradients(lstm_step, {random({2, 3}, 1), random({2, 3}, 2), random({2, 3}, 3),
                               random({2, 3}, 4), random({2, 3}, 5)});
}

TEST_CASE("inputs that were expanded get their gradients summed back") {
  expect_gradients(lstm_step, {random({2, 1}, 1), random({3}, 2), random({}, 3), random({1, 3}, 4),
                               random({2, 3}, 5)});
}

TEST_CASE("column blocks of one tensor get the right gradients, for blocks of any width") {
  for (Index hidden : {1, 2, 5})
    expect_gradients(
        [](std::span<const Variable> x) {
          const auto [i, f, g, o] = split<4>(x[0]);
          return lstm_step(std::array{i, f, g, o, x[1]});
        },
        {random({3, 4 * hidden}, 1), random({3, hidden}, 2)});
}

TEST_CASE(
    "gradients of column blocks are laid out beside each other, so joining them copies nothing") {
  constexpr Index kBatch = 16;
  constexpr Index kHidden = 32;
  Tape tape;
  const Variable gates = tape.watch(random({kBatch, 4 * kHidden}, 1));
  const auto [i, f, g, o] = split<4>(gates);
  const auto [h, c] = pointwise(lstm, i, f, g, o, Variable(random({kBatch, kHidden}, 2)));
  GradientOptions options;
  options.seed = ones({kBatch, kHidden}, Dtype::float64);
  const std::uint64_t before = memory::statistics().bytes_requested;
  static_cast<void>(tape.gradients(h, options));
  const std::uint64_t gradient_bytes = kBatch * 4 * kHidden * sizeof(double);
  CHECK(memory::statistics().bytes_requested - before < gradient_bytes * 3 / 2);
}

TEST_CASE("an output that the loss does not use costs nothing and changes nothing") {
  expect_gradients(
      [](std::span<const Variable> x) {
        const auto outputs = pointwise(
            [](auto a, auto b) {
              return std::tuple{a * b, exp(a), sin(b)};
            },
            x[0], x[1]);
        return outputs[2] * outputs[0];
      },
      {random({4}, 1), random({4}, 2)});
}

TEST_CASE("constants that a lambda returns have no gradient") {
  Tape tape;
  const Variable x = tape.watch(random({3}, 1));
  const auto [one, twice] = pointwise([](auto v) { return std::pair{1.0, v * 2.0}; }, x);
  expect_values(tape.gradients(sum(one + twice))[x].value(), {2, 2, 2});
}

TEST_CASE("every function that a lambda may call is differentiated, to the second order") {
  const Tensor x = random({2, 3}, 1, 0.3, 0.9);
  const Tensor y = random({2, 3}, 2, 1.2, 2.0);
  const auto check_both = [&](auto f) {
    expect_gradients([f](std::span<const Variable> v) { return pointwise(f, v[0], v[1]); }, {x, y});
  };
  check_both([](auto a, auto b) { return exp(a) * log(b) + sqrt(a) / expm1(b) - log1p(a); });
  check_both([](auto a, auto b) { return sin(a) * cos(b) + tanh(a) * sigmoid(b) + softplus(a); });
  check_both([](auto a, auto b) { return pow(a, b) + pow(b, 2.5) + square(a) * abs(b); });
  check_both([](auto a, auto b) { return maximum(a, b) * minimum(a, b) + relu(a - b) + relu(b); });
  check_both([](auto a, auto b) { return where(a < b, a * b * b, a) + floor(a) + sign(b) * a; });
  check_both([](auto a, auto b) { return (2.0 - a) / (1.0 + b) + 3.0 / a + b / 2.0 - 1.0; });
}

TEST_CASE("the derivative of 0 to the power of 0 by its base is 0, and by its exponent") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    Tape tape;
    const Variable base = tape.watch(Tensor::of<double>({3}, {0.0, 0.0, 2.0}).to(dtype));
    const Variable exponent = tape.watch(Tensor::of<double>({3}, {0.0, 2.0, 0.0}).to(dtype));
    const Variable y = pointwise([](auto a, auto b) { return pow(a, b); }, base, exponent);
    const Variable of_zero = pointwise([](auto b) { return pow(0.0, b); }, exponent);
    const Gradients g = tape.gradients(sum(y + of_zero));
    expect_values(g[base].value(), {0, 0, 0});
    expect_values(g[exponent].value(), {0, 0, std::log(2.0)}, 1e-7);
  }
}

TEST_CASE("derivatives at sizes beside the vector width are right to the last element") {
  for (Index n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 70})
    for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
      Tape tape;
      const Tensor value = random({n}, 7).to(dtype);
      const Variable x = tape.watch(value);
      const Variable y = pointwise([](auto v) { return sin(v) * v; }, x);
      std::vector<double> expected;
      for (double v : value.to_vector<double>()) expected.push_back(std::cos(v) * v + std::sin(v));
      expect_values(tape.gradients(sum(y))[x].value(), expected,
                    dtype == Dtype::float32 ? 2e-6 : 1e-13);
    }
}

TEST_CASE("derivatives beyond the order of a lambda are refused, and more can be asked for") {
  const auto third_derivative = [](auto apply) {
    Tape tape;
    const Variable x = tape.watch(full({}, 0.5, Dtype::float64));
    const Variable first = tape.gradients(apply(x), {.differentiable = true})[x];
    const Variable second = tape.gradients(first, {.differentiable = true})[x];
    return tape.gradients(second)[x].item();
  };
  const auto cubic = [](auto v) { return v * v * v * v; };
  expect_error<TapeError>(
      [&] { third_derivative([&](const Variable& x) { return pointwise("quartic", cubic, x); }); },
      {"quartic", "order 2", "pointwise<3>"});
  CHECK(third_derivative([&](const Variable& x) { return pointwise<3>("quartic", cubic, x); }) ==
        doctest::Approx(12.0));
}

TEST_CASE("only the inputs are saved, nothing of the size of the terms between") {
  Tape tape;
  const Variable x = tape.watch(random({1000}, 1));
  const Index before = bytes_in_use();
  const Variable y = pointwise(
      [](auto v) { return tanh(sin(exp(v)) * cos(v)) + sigmoid(v * v) * softplus(v); }, x);
  CHECK(bytes_in_use() - before < 2 * 8000);  // y itself, and a record of its making
}

}  // namespace unroll::testing
