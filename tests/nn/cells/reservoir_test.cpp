// An echo state network: its weights, the fading of its first state, and readouts that are fitted.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <numbers>

#include "support/expect.hpp"
#include "support/folder.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

namespace unroll::testing {
namespace {

/// The spectral radius by Gelfand's formula, |A^n|^(1/n) for n = 2^20, without eigenvalues.
double radius_of(const Tensor& weights) {
  Variable power = weights.to(Dtype::float64);
  double log_norm = 0.0;  // of A^n, of which `power` is the normalised part
  double n = 1.0;
  for (int k = 0; k < 20; ++k) {
    const double size = norm(power).item();
    power = power / size;
    log_norm = 2.0 * (log_norm + std::log(size));
    power = matmul(power, power);
    n *= 2.0;
  }
  return std::exp((log_norm + std::log(norm(power).item())) / n);
}

Index non_zeros(const Tensor& row) {
  return static_cast<Index>(sum(Variable(ne(row, 0.0))).item());
}

/// The error of a readout on the last `held_out` steps, relative to the deviation of the targets.
/// The fit leaves out the first steps, `washout`, as well.
double held_out_error(const nn::Reservoir& cell, const Tensor& x, const Tensor& y, Index washout,
                      Index held_out, double lambda) {
  const Index steps = x.size(0);
  const Variable states = select(nn::Recurrent(cell)(x).outputs, 1, 0);
  const nn::RidgeRegression fit =
      nn::ridge_regression(states.value().slice(0, washout, steps - held_out),
                           y.slice(0, washout, steps - held_out), lambda);
  const Variable forecast = linear(slice(states, 0, steps - held_out, steps), fit.weight, fit.bias);
  const Variable wanted = y.slice(0, steps - held_out, steps);
  return std::sqrt(mean(square(forecast - wanted)).item() / variance(wanted).item());
}

}  // namespace

TEST_CASE("a Reservoir computes the equation of leaky integrators") {
  constexpr Index kInputs = 3, kHidden = 4, kSteps = 5, kBatch = 2;
  constexpr double kLeak = 0.3;
  nn::Reservoir cell(kInputs, kHidden, {.connectivity = 0.5, .leak = kLeak, .bias_scale = 0.4});
  cell.to(Dtype::float64);
  const Numbers w_in = cell.weight_ih().to_vector<double>(), b = cell.bias().to_vector<double>();
  const Numbers w = cell.weight_hh().to_vector<double>();
  const Tensor x = random({kSteps, kBatch, kInputs}, 1, -3.0, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(x);
  for (Index row = 0; row < kBatch; ++row) {
    Numbers h(kHidden, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      const Numbers values = at_step(x, t, row);
      Numbers next(kHidden);
      for (std::size_t k = 0; k < kHidden; ++k) {
        double a = b[k];
        for (std::size_t j = 0; j < kInputs; ++j) a += w_in[k * kInputs + j] * values[j];
        for (std::size_t j = 0; j < kHidden; ++j) a += w[k * kHidden + j] * h[j];
        next[k] = (1.0 - kLeak) * h[k] + kLeak * std::tanh(a);
      }
      h = next;
      expect_values(result.outputs.value().select(0, t).select(0, row), h);
    }
  }
}

TEST_CASE("Reservoir keeps the contract of a cell") {
  const nn::CellReport report =
      nn::check_cell(nn::Reservoir(3, 4, {.connectivity = 0.5, .leak = 0.6, .bias_scale = 0.5}));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a Reservoir has no parameters") {
  CHECK(nn::Reservoir(3, 4).named_parameters().empty());
}

TEST_CASE("the recurrent weights of a Reservoir have the spectral radius and the connectivity") {
  seed(1);
  for (const double radius : {0.5, 0.9, 1.3}) {
    const nn::Reservoir cell(2, 40, {.spectral_radius = radius, .connectivity = 0.2});
    CHECK(radius_of(cell.weight_hh()) == doctest::Approx(radius).epsilon(1e-4));
    for (Index row = 0; row < 40; ++row) CHECK(non_zeros(cell.weight_hh().select(0, row)) == 8);
  }
  // One connection for each unit, the least, has a cycle, too.
  CHECK(radius_of(nn::Reservoir(1, 10, {.connectivity = 1e-3}).weight_hh()) ==
        doctest::Approx(0.9).epsilon(1e-4));
}

TEST_CASE("a saved Reservoir comes back with its weights") {
  const Folder folder;
  const nn::Reservoir first(2, 6);
  nn::Reservoir second(2, 6);
  nn::save(first, folder / "reservoir.safetensors");
  nn::load(second, folder / "reservoir.safetensors");
  expect_close(second.weight_hh(), first.weight_hh(), 0.0);
}

TEST_CASE("one seed makes one Reservoir") {
  seed(5);
  const nn::Reservoir first(2, 6);
  seed(5);
  const nn::Reservoir second(2, 6);
  expect_close(second.weight_hh(), first.weight_hh(), 0.0);
  expect_close(second.weight_ih(), first.weight_ih(), 0.0);
}

TEST_CASE("a Reservoir of spectral radius 0.9 forgets its first state") {
  seed(1);
  for (const double leak : {1.0, 0.5}) {
    nn::Recurrent rnn(nn::Reservoir(1, 50, {.leak = leak}));
    rnn.to(Dtype::float64);
    const Tensor x = random({400, 1, 1}, 1);
    const Variable one = rnn(x, {random({1, 50}, 2)}).outputs;
    const Variable other = rnn(x, {random({1, 50}, 3)}).outputs;
    CHECK(max(abs(select(one, 0, 0) - select(other, 0, 0))).item() > 1e-2);
    CHECK(max(abs(select(one, 0, 399) - select(other, 0, 399))).item() < 1e-6);
  }
}

TEST_CASE("a readout of a Reservoir predicts a sum of sines on steps it has not seen") {
  seed(1);
  constexpr Index kSteps = 1000;
  Numbers values(kSteps + 1);
  for (std::size_t t = 0; t < values.size(); ++t)
    values[t] = 0.5 * std::sin(0.2 * static_cast<double>(t)) +
                0.5 * std::sin(0.2 * std::numbers::sqrt2 * static_cast<double>(t));
  const Tensor all = Tensor::of<double>({kSteps + 1, 1, 1}, values);
  const Tensor next = all.slice(0, 1, kSteps + 1).reshape({kSteps, 1});
  nn::Reservoir cell(1, 100, {.leak = 0.5, .bias_scale = 0.2});
  cell.to(Dtype::float64);
  CHECK(held_out_error(cell, all.slice(0, 0, kSteps), next, 100, 300, 1e-8) < 1e-3);
}

TEST_CASE("a readout of a Reservoir follows a NARMA system of order 10 on steps it has not seen") {
  // Atiya and Parlos, New results on recurrent network training, 2000.
  seed(1);
  constexpr Index kSteps = 2500;
  const Tensor input = random({kSteps, 1, 1}, 4, 0.0, 0.5);
  const Numbers u = input.to_vector<double>();
  Numbers y(kSteps, 0.0);
  for (std::size_t t = 9; t + 1 < y.size(); ++t) {
    double past = 0.0;
    for (std::size_t k = 0; k < 10; ++k) past += y[t - k];
    y[t + 1] = 0.3 * y[t] + 0.05 * y[t] * past + 1.5 * u[t - 9] * u[t] + 0.1;
  }
  // The output at step t is y(t+1), which depends on the input up to step t.
  const Tensor next = Tensor::of<double>({kSteps - 1, 1}, Numbers(y.begin() + 1, y.end()));
  nn::Reservoir cell(1, 150, {.input_scale = 0.3, .bias_scale = 0.3});
  cell.to(Dtype::float64);
  const double error = held_out_error(cell, input.slice(0, 0, kSteps - 1), next, 200, 500, 1e-8);
  CHECK(error < 0.3);
}

TEST_CASE("Reservoir refuses options out of range") {
  expect_error<ArgumentError>([] { nn::Reservoir(1, 2, {.spectral_radius = 0.0}); },
                              {"Reservoir", "spectral_radius", "positive"});
  expect_error<ArgumentError>([] { nn::Reservoir(1, 2, {.connectivity = 1.5}); },
                              {"Reservoir", "connectivity", "1.5"});
  expect_error<ArgumentError>([] { nn::Reservoir(1, 2, {.leak = 0.0}); }, {"Reservoir", "leak"});
  expect_error<ArgumentError>([] { nn::Reservoir(1, 2, {.input_scale = -1.0}); },
                              {"Reservoir", "input_scale"});
  expect_error<ArgumentError>([] { nn::Reservoir(1, 2, {.bias_scale = HUGE_VAL}); },
                              {"Reservoir", "bias_scale", "inf"});
  expect_error<ArgumentError>([] { nn::Reservoir(1, 0); }, {"state size"});
}

}  // namespace unroll::testing
