// Coupled oscillators: both discretisations, and what the oscillators do without input.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4, kSteps = 5, kBatch = 2;

/// Equation 3 of the paper. The damping acts on the old velocity or, implicitly, on the new one.
void expect_by_hand(const nn::CoRNNOptions& options) {
  nn::CoRNN cell(kInputs, kHidden, options);
  cell.to(Dtype::float64);
  const Weights w(cell);
  const Tensor x = random({kSteps, kBatch, kInputs}, 1, -3.0, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(x);
  for (Index b = 0; b < kBatch; ++b) {
    Numbers y(kHidden, 0.0), z(kHidden, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      Numbers both = y;
      both.insert(both.end(), z.begin(), z.end());
      Numbers next_y(kHidden), next_z(kHidden);
      for (std::size_t k = 0; k < kHidden; ++k) {
        const double drive = std::tanh(w.dot("weight_hh", k, both) +
                                       w.dot("weight_ih", k, at_step(x, t, b)) + w["bias"][k]);
        const double before = z[k] + options.dt * (drive - options.gamma * y[k]);
        next_z[k] = options.implicit_damping ? before / (1.0 + options.dt * options.epsilon)
                                             : before - options.dt * options.epsilon * z[k];
        next_y[k] = y[k] + options.dt * next_z[k];
      }
      y = next_y;
      z = next_z;
      expect_values(result.outputs.value().select(0, t).select(0, b), y);
    }
    expect_values(result.state[1].value().select(0, b), z);
  }
}

/// An oscillator without weights, started at position 1.
nn::Sequence swing(const nn::CoRNNOptions& options, Index steps) {
  nn::CoRNN cell(1, 1, options);
  cell.to(Dtype::float64);
  for (const char* name : {"weight_ih", "weight_hh", "bias"}) set_all(cell, name, 0.0);
  return nn::Recurrent(cell)(zeros({steps, 1, 1}, Dtype::float64),
                             {ones({1, 1}, Dtype::float64), zeros({1, 1}, Dtype::float64)});
}

}  // namespace

TEST_CASE("a CoRNN computes the equations of its paper with explicit damping") {
  expect_by_hand({.dt = 0.3, .gamma = 1.7, .epsilon = 0.6});
}

TEST_CASE("a CoRNN computes the equations of its paper with implicit damping") {
  expect_by_hand({.dt = 0.3, .gamma = 1.7, .epsilon = 0.6, .implicit_damping = true});
}

TEST_CASE("CoRNN keeps the contract of a cell") {
  for (const bool implicit_damping : {false, true}) {
    const nn::CellReport report =
        nn::check_cell(nn::CoRNN(3, 4, {.dt = 0.4, .implicit_damping = implicit_damping}));
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("an oscillator of a CoRNN without damping conserves its energy over ten thousand steps") {
  const double dt = 0.1, gamma = 2.0;
  const nn::Sequence run = swing({.dt = dt, .gamma = gamma, .epsilon = 0.0}, 10000);
  // The energy of this scheme, a symplectic one, has a term in dt beside gamma y^2 + z^2.
  const double y = run.state[0].item(), z = run.state[1].item();
  CHECK(gamma * y * y + z * z - dt * gamma * y * z == doctest::Approx(gamma).epsilon(1e-9));
}

TEST_CASE("an undriven oscillator of a CoRNN has the frequency sqrt(gamma)") {
  const double dt = 1e-3;
  const nn::Sequence run = swing({.dt = dt, .gamma = 4.0, .epsilon = 0.0}, 1000);
  CHECK(run.state[0].item() == doctest::Approx(std::cos(2.0)).epsilon(1e-2));
}

TEST_CASE("implicit damping of a CoRNN is stable where explicit damping is not") {
  const nn::CoRNNOptions stiff{.dt = 0.5, .gamma = 1.0, .epsilon = 10.0};
  nn::CoRNNOptions implicit_one = stiff;
  implicit_one.implicit_damping = true;
  CHECK(std::abs(swing(stiff, 100).state[0].item()) > 1e6);
  CHECK(std::abs(swing(implicit_one, 100).state[0].item()) < 1.0);
}

TEST_CASE("CoRNN refuses steps and coefficients out of range") {
  expect_error<ArgumentError>([] { nn::CoRNN(1, 2, {.dt = 0.0}); }, {"CoRNN", "dt", "positive"});
  expect_error<ArgumentError>([] { nn::CoRNN(1, 2, {.gamma = -1.0}); }, {"CoRNN", "gamma", "-1"});
  expect_error<ArgumentError>([] { nn::CoRNN(1, 2, {.epsilon = HUGE_VAL}); },
                              {"CoRNN", "epsilon", "inf"});
  expect_error<ArgumentError>([] { nn::CoRNN(1, 0); }, {"state size"});
}

}  // namespace unroll::testing
