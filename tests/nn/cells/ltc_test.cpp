// Liquid time constants: the solver, its limits, and time that is not regular.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <limits>

#include "support/expect.hpp"
#include "support/mapped_inputs.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4, kSteps = 5, kBatch = 2;

/// x with a column of elapsed times behind it.
Tensor timed(const Tensor& x, const Tensor& elapsed) {
  return concat({Variable(x), Variable(elapsed)}).value();
}

/// The fused solver of the paper (equation 3), with the elapsed time of each step.
Numbers next(const Weights& w, Numbers h, const Numbers& x, double dt, Index unfold) {
  const double s = dt / static_cast<double>(unfold);
  for (Index step = 0; step < unfold; ++step) {
    Numbers after(h.size());
    for (std::size_t k = 0; k < h.size(); ++k) {
      const double f = logistic(w.dot("weight_hh", k, h) + w.dot("weight_ih", k, x) + w["bias"][k]);
      const double rate = std::log1p(std::exp(w["rate"][k]));
      after[k] = (h[k] + s * f * w["reversal"][k]) / (1.0 + s * (rate + f));
    }
    h = after;
  }
  return h;
}

nn::LTC in_float64(Index inputs, Index hidden, const nn::LTCOptions& options) {
  nn::LTC cell(inputs, hidden, options);
  cell.to(Dtype::float64);
  return cell;
}

}  // namespace

TEST_CASE("an LTC computes the fused solver of its paper") {
  const nn::LTC cell = in_float64(kInputs, kHidden, {.unfold = 3, .dt = 0.8});
  const Weights w(cell);
  const Tensor x = random({kSteps, kBatch, kInputs}, 1, -3.0, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(x);
  for (Index b = 0; b < kBatch; ++b) {
    Numbers h(kHidden, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      h = next(w, h, at_step(x, t, b), 0.8, 3);
      expect_values(result.outputs.value().select(0, t).select(0, b), h);
    }
  }
}

TEST_CASE("an LTC in irregular time computes each step over its own elapsed time") {
  const nn::LTC cell = in_float64(kInputs + 1, kHidden, {.unfold = 2, .irregular = true});
  const Weights w(cell);
  const Tensor x = random({kSteps, kBatch, kInputs}, 1, -3.0, 3.0);
  const Tensor elapsed = random({kSteps, kBatch, 1}, 2, 0.1, 4.0);
  const nn::Sequence result = nn::Recurrent(cell)(timed(x, elapsed));
  for (Index b = 0; b < kBatch; ++b) {
    Numbers h(kHidden, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      h = next(w, h, at_step(x, t, b), elapsed.at({t, b, 0}), 2);
      expect_values(result.outputs.value().select(0, t).select(0, b), h);
    }
  }
}

TEST_CASE("LTC keeps the contract of a cell") {
  const nn::CellReport report = nn::check_cell(nn::LTC(3, 4, {.unfold = 2}));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("LTC keeps the contract of a cell in irregular time") {
  const nn::CellReport report = nn::check_cell(
      MappedInputs(nn::LTC(3, 4, {.unfold = 2, .irregular = true}), 3, with_positive_time));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("the state of an LTC stays between 0 and its reversal potentials") {
  const nn::LTC cell = in_float64(2, 6, {.unfold = 1, .dt = 5.0});
  const Numbers reversal = Weights(cell)["reversal"];
  const Tensor outputs =
      nn::Recurrent(cell)(normal({100, 1, 2}, 0.0, 50.0, Dtype::float64)).outputs.value();
  for (Index t = 0; t < 100; ++t)
    for (Index k = 0; k < 6; ++k) {
      const double h = outputs.at({t, 0, k}), a = reversal[static_cast<std::size_t>(k)];
      CHECK(h * a >= 0.0);
      CHECK(std::abs(h) <= std::abs(a));
    }
}

TEST_CASE("a long step of an LTC is several short ones with the same input") {
  nn::LTC whole = in_float64(2, 3, {.unfold = 4, .dt = 1.0});
  nn::LTC half = in_float64(2, 3, {.unfold = 2, .dt = 0.5});
  const auto from = whole.named_parameters(), to = half.named_parameters();
  for (std::size_t k = 0; k < from.size(); ++k)
    Parameter(to[k].parameter).set(from[k].parameter.value());
  const Tensor x = random({4, 2, 2}, 1);
  expect_close(nn::Recurrent(half)(repeat(x, 2, 0)).state[0].value(),
               nn::Recurrent(whole)(x).state[0].value());
}

TEST_CASE("the solver of an LTC converges to the differential equation in first order") {
  // Without weights f is 1/2, and the equation is linear.
  const double tau = 1.0, f = 0.5, dt = 1.5;
  const double rate = 1.0 / tau + f;
  double errors[2];
  for (int k = 0; k < 2; ++k) {
    const nn::LTC cell = in_float64(1, 1, {.unfold = k == 0 ? 200 : 400, .dt = dt});
    for (const char* name : {"weight_ih", "weight_hh", "bias"}) set_all(cell, name, 0.0);
    set_all(cell, "reversal", 2.0);
    set_all(cell, "rate", std::log(std::expm1(1.0 / tau)));
    const double h = nn::Recurrent(cell)(zeros({1, 1, 1}, Dtype::float64)).state[0].item();
    errors[k] = std::abs(h - 2.0 * f / rate * (1.0 - std::exp(-rate * dt)));
  }
  CHECK(errors[0] < 1e-3);
  CHECK(errors[0] / errors[1] == doctest::Approx(2.0).epsilon(0.01));
}

TEST_CASE("an LTC refuses elapsed times that are negative or not finite, by step and sequence") {
  const nn::Recurrent rnn(in_float64(2, 3, {.irregular = true}));
  Tensor x = ones({4, 3, 2}, Dtype::float64);
  x.mutable_data<double>()[(2 * 3 + 1) * 2 + 1] = -0.25;
  expect_error<ArgumentError>([&] { rnn(x); }, {"LTC", "step 2", "sequence 1", "-0.25"});
  // The same behind the end of that sequence does not matter.
  expect_close(rnn(x, {}, {.lengths = {4, 2, 4}}).outputs.value(),
               rnn(ones({4, 3, 2}, Dtype::float64), {}, {.lengths = {4, 2, 4}}).outputs.value());
  x.mutable_data<double>()[(2 * 3 + 1) * 2 + 1] = std::numeric_limits<double>::quiet_NaN();
  expect_error<ArgumentError>([&] { rnn(x); }, {"LTC", "step 2", "sequence 1", "nan"});
}

TEST_CASE("an elapsed time of zero leaves the state of an LTC as it is") {
  const nn::Recurrent rnn(in_float64(2, 3, {.irregular = true}));
  const Tensor h = random({2, 3}, 1);
  const Tensor x = timed(random({1, 2, 1}, 2), zeros({1, 2, 1}, Dtype::float64));
  expect_close(rnn(x, {h}).state[0].value(), h, 0.0);
}

TEST_CASE("LTC refuses options out of range") {
  expect_error<ArgumentError>([] { nn::LTC(1, 2, {.unfold = 0}); }, {"LTC", "unfold", "0"});
  expect_error<ArgumentError>([] { nn::LTC(1, 2, {.dt = 0.0}); }, {"LTC", "dt", "positive"});
  expect_error<ArgumentError>([] { nn::LTC(1, 2, {.irregular = true}); }, {"LTC", "inputs", "2"});
}

}  // namespace unroll::testing
