#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// 2 inputs, 3 outputs, weights and biases of float64 that are easy to follow.
nn::Linear easy() {
  nn::Linear linear(2, 3);
  linear.to(Dtype::float64);
  Parameter weight = linear.weight();
  Parameter bias = *linear.bias();
  weight.set(Tensor::of({3, 2}, {1.0, 10.0, 2.0, 20.0, 3.0, 30.0}));
  bias.set(Tensor::of({3}, {0.1, 0.2, 0.3}));
  return linear;
}

}  // namespace

TEST_CASE("Linear computes x W^T + b") {
  const Variable y = easy()(Variable(Tensor::of({2, 2}, {1.0, 2.0, -1.0, 0.5})));
  CHECK(y.shape() == Shape{2, 3});
  expect_values(y.value(), {21.1, 42.2, 63.3, 4.1, 8.2, 12.3}, 1e-14);
}

TEST_CASE("Linear takes x of any rank and works on the last axis") {
  const nn::Linear linear = easy();
  const Tensor x = random({2, 3, 4, 2}, 1);
  const Variable y = linear(x);
  CHECK(y.shape() == Shape{2, 3, 4, 3});
  expect_close(y.value().reshape({24, 3}), linear(x.reshape({24, 2})).value(), 1e-14);
  CHECK(linear(random({2}, 2)).shape() == Shape{3});
}

TEST_CASE("Linear without bias has one parameter and returns 0 for 0") {
  const nn::Linear linear(2, 3, {.bias = false});
  CHECK_FALSE(linear.bias().has_value());
  CHECK(linear.parameters().size() == 1);
  expect_values(linear(zeros({1, 2})).value(), {0.0, 0.0, 0.0});
}

TEST_CASE("Linear starts within +-1/sqrt(inputs) and fills that range") {
  seed(1);
  const nn::Linear linear(100, 50);
  const auto weights = linear.weight().value().to_vector<double>();
  const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  CHECK(*low >= -0.1);
  CHECK(*high <= 0.1);
  CHECK(*low < -0.099);
  CHECK(*high > 0.099);
}

TEST_CASE("the gradients of Linear agree with finite differences") {
  nn::Linear linear(3, 4);
  const auto report = nn::gradcheck(
      linear, [&](std::span<const Variable> x) { return linear(x[0]); }, {random({5, 3}, 3)});
  CHECK_MESSAGE(report.passed, report.to_string());
  CHECK(report.checked == 5 * 3 + 4 * 3 + 4);
}

TEST_CASE("Linear refuses an input of another width, naming both sizes") {
  expect_error<ShapeError>([] { easy()(random({5, 4}, 4)); }, {"linear", "[5,4]", "[3,2]"});
  expect_error<DtypeError>([] { easy()(zeros({5, 2})); }, {"linear", "float32", "float64"});
}

TEST_CASE("Linear refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::Linear(0, 3); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::Linear(-2, 3); }, {"inputs", "-2"});
  expect_error<ArgumentError>([] { nn::Linear(3, 0); }, {"outputs", "0"});
  expect_error<ArgumentError>([] { nn::Linear(3, -2); }, {"outputs", "-2"});
}
