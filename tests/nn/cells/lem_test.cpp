// Long expressive memory: its equations, its bounds and its two time scales.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

namespace unroll::testing {

TEST_CASE("a LEM computes the equations of its paper") {
  constexpr Index kInputs = 3, kHidden = 4, kSteps = 5, kBatch = 2;
  constexpr double kDt = 0.7;
  nn::LEM cell(kInputs, kHidden, {.dt = kDt});
  cell.to(Dtype::float64);
  const Weights w(cell);
  const Tensor x = random({kSteps, kBatch, kInputs}, 1, -3.0, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(x);
  for (Index b = 0; b < kBatch; ++b) {
    Numbers y(kHidden, 0.0), z(kHidden, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      const auto input = [&](std::size_t row) {
        return w.dot("weight_ih", row, at_step(x, t, b)) + w["bias"][row];
      };
      Numbers next_y(kHidden), next_z(kHidden);
      for (std::size_t k = 0; k < kHidden; ++k) {
        const double s = kDt * logistic(w.dot("weight_hh", k, y) + input(k));
        const double target = w.dot("weight_hh", 2 * kHidden + k, y) + input(2 * kHidden + k);
        next_z[k] = (1.0 - s) * z[k] + s * std::tanh(target);
      }
      for (std::size_t k = 0; k < kHidden; ++k) {
        const double r = kDt * logistic(w.dot("weight_hh", kHidden + k, y) + input(kHidden + k));
        const double target = w.dot("weight_zh", k, next_z) + input(3 * kHidden + k);
        next_y[k] = (1.0 - r) * y[k] + r * std::tanh(target);
      }
      y = next_y;
      z = next_z;
      expect_values(result.outputs.value().select(0, t).select(0, b), y);
    }
    expect_values(result.state[1].value().select(0, b), z);
  }
}

TEST_CASE("LEM keeps the contract of a cell") {
  const nn::CellReport report = nn::check_cell(nn::LEM(3, 4, {.dt = 0.8}));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("the states of a LEM stay within -1..1 under any input") {
  const nn::Recurrent rnn(nn::LEM(2, 5));
  const nn::Sequence run = rnn(normal({200, 3, 2}, 0.0, 100.0));
  CHECK(max(abs(run.outputs)).item() <= 1.0);
  CHECK(max(abs(run.state[1])).item() <= 1.0);
}

TEST_CASE("a LEM whose gates are shut keeps its state") {
  nn::LEM cell(2, 3);
  cell.to(Dtype::float64);
  Tensor shut = zeros({12}, Dtype::float64);
  for (Index k = 0; k < 6; ++k) shut.mutable_data<double>()[k] = -1000.0;
  for (auto [name, parameter] : cell.named_parameters())
    if (name == "bias") parameter.set(shut);
  const Tensor y = random({2, 3}, 1), z = random({2, 3}, 2);
  const nn::Sequence run = nn::Recurrent(cell)(random({50, 2, 2}, 3), {y, z});
  expect_close(run.state[0].value(), y, 0.0);
  expect_close(run.state[1].value(), z, 0.0);
}

TEST_CASE("LEM refuses a step that is not positive") {
  expect_error<ArgumentError>([] { nn::LEM(1, 2, {.dt = -0.5}); },
                              {"LEM", "dt", "positive", "-0.5"});
  expect_error<ArgumentError>([] { nn::LEM(0, 2); }, {"inputs"});
}

}  // namespace unroll::testing
