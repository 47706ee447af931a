// The readout of an echo state network, against its normal equations and where it is exact.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

Variable centred(const Tensor& x) { return Variable(x) - mean(Variable(x), {0}); }

}  // namespace

TEST_CASE("ridge regression solves its normal equations") {
  const Tensor states = random({50, 6}, 1, -1.0, 3.0), targets = random({50, 2}, 2);
  for (const double lambda : {0.0, 1e-3, 10.0}) {
    const nn::RidgeRegression fit = nn::ridge_regression(states, targets, lambda);
    const Variable x = centred(states), y = centred(targets);
    // (X^T X + lambda) W^T = X^T Y
    const Variable gram = matmul(transpose(x), x) + diag_embed(full({6}, lambda, Dtype::float64));
    expect_close(fit.weight, transpose(solve(gram, matmul(transpose(x), y))).value(), 1e-10);
    // The bias makes the residuals add up to zero.
    const Variable residuals = linear(states, fit.weight, fit.bias) - Variable(targets);
    expect_values(sum(residuals, {0}).value(), {0.0, 0.0}, 1e-10);
  }
}

TEST_CASE("ridge regression is at the minimum of its loss") {
  const Tensor states = random({20, 3}, 1), targets = random({20, 2}, 2);
  const nn::RidgeRegression fit = nn::ridge_regression(states, targets, 0.7);
  Tape tape;
  const Variable weight = tape.watch(fit.weight), bias = tape.watch(fit.bias);
  const Variable loss =
      sum(square(linear(states, weight, bias) - Variable(targets))) + 0.7 * sum(square(weight));
  const Gradients gradients = tape.gradients(loss);
  CHECK(max(abs(gradients[weight])).item() < 1e-12);
  CHECK(max(abs(gradients[bias])).item() < 1e-12);
}

TEST_CASE("ridge regression without penalty finds the readout that made the targets") {
  const Tensor states = random({30, 5}, 1), weight = random({3, 5}, 2), bias = random({3}, 3);
  const nn::RidgeRegression fit =
      nn::ridge_regression(states, linear(states, weight, bias).value(), 0.0);
  expect_close(fit.weight, weight, 1e-11);
  expect_close(fit.bias, bias, 1e-11);
}

TEST_CASE("ridge regression loses no more digits than the condition of the states costs") {
  // A condition of 1e7; its square in the normal equations would leave two digits.
  Tensor states = random({40, 3}, 1);
  double* elements = states.mutable_data<double>();
  for (Index n = 0; n < 40; ++n)
    elements[3 * n + 2] = elements[3 * n + 1] + 1e-7 * elements[3 * n + 2];
  const Tensor weight = Tensor::of<double>({1, 3}, {1.0, 2.0, -3.0});
  const nn::RidgeRegression fit = nn::ridge_regression(states, linear(states, weight).value(), 0.0);
  expect_close(fit.weight, weight, 1e-7);
}

TEST_CASE("ridge regression of dependent states gives the smallest weights") {
  // Two equal columns share the weight.
  const Tensor column = random({20, 1}, 1);
  const Tensor states = concat({Variable(column), Variable(column)}).value();
  const nn::RidgeRegression fit =
      nn::ridge_regression(states, (4.0 * Variable(column)).value(), 0.0);
  expect_values(fit.weight, {2.0, 2.0});
  // Fewer rows than columns: the targets are met exactly.
  const Tensor few = random({3, 8}, 2), targets = random({3, 2}, 3);
  const nn::RidgeRegression through = nn::ridge_regression(few, targets, 0.0);
  expect_close(linear(few, through.weight, through.bias).value(), targets, 1e-11);
}

TEST_CASE("a large penalty leaves ridge regression with the mean") {
  const Tensor states = random({20, 3}, 1), targets = random({20, 2}, 2);
  const nn::RidgeRegression fit = nn::ridge_regression(states, targets, 1e12);
  CHECK(max(abs(Variable(fit.weight))).item() < 1e-10);
  expect_close(fit.bias, mean(Variable(targets), {0}).value(), 1e-10);
}

TEST_CASE("ridge regression returns the dtype of the targets and records nothing") {
  Tape tape;
  const nn::RidgeRegression fit = nn::ridge_regression(narrow({9, 3}, 1), narrow({9, 2}, 2), 0.1);
  CHECK(fit.weight.dtype() == Dtype::float32);
  CHECK(fit.bias.dtype() == Dtype::float32);
  CHECK(tape.statistics().operations == 0);
}

TEST_CASE("ridge regression refuses arguments that do not fit") {
  const Tensor states = random({4, 3}, 1), targets = random({4, 2}, 2);
  expect_error<ShapeError>(
      [&] {
        nn::ridge_regression(states, random({5, 2}, 1), 0.1);
      },
      {"ridge_regression", "[4,3]", "[5,2]"});
  expect_error<ShapeError>([&] { nn::ridge_regression(states, random({4}, 1), 0.1); },
                           {"ridge_regression", "[N,O]"});
  expect_error<ShapeError>(
      [&] {
        nn::ridge_regression(zeros({0, 3}), zeros({0, 2}), 0.1);
      },
      {"ridge_regression"});
  expect_error<ArgumentError>([&] { nn::ridge_regression(states, targets, -1.0); },
                              {"ridge_regression", "lambda", "-1"});
  expect_error<ArgumentError>(
      [&] {
        nn::ridge_regression(states, full({4, 2}, std::numeric_limits<double>::quiet_NaN()), 1.0);
      },
      {"ridge_regression", "NaN"});
  expect_error<DtypeError>([&] { nn::ridge_regression(arange(3), targets, 1.0); },
                           {"ridge_regression", "states"});
}

}  // namespace unroll::testing
