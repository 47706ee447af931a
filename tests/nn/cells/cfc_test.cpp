// Closed-form continuous time: both variants, with and without a backbone, in irregular time.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>

#include "support/expect.hpp"
#include "support/mapped_inputs.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4, kSteps = 5, kBatch = 2;

nn::CfC in_float64(Index inputs, Index hidden, const nn::CfCOptions& options) {
  nn::CfC cell(inputs, hidden, options);
  cell.to(Dtype::float64);
  return cell;
}

/// f, g and k, one after the other.
Numbers heads(const Weights& w, const Numbers& h, const Numbers& x, Index backbone) {
  const auto rows = static_cast<std::size_t>(backbone > 0 ? backbone : 3 * kHidden);
  Numbers a(rows);
  for (std::size_t r = 0; r < rows; ++r)
    a[r] = w.dot("weight_hh", r, h) + w.dot("weight_ih", r, x) + w["bias"][r];
  if (backbone == 0) return a;
  for (double& value : a) value = std::tanh(value);
  Numbers result(3 * kHidden);
  for (std::size_t r = 0; r < result.size(); ++r)
    result[r] = w.dot("head.weight", r, a) + w["head.bias"][r];
  return result;
}

void expect_by_hand(const nn::CfCOptions& options) {
  const nn::CfC cell = in_float64(kInputs + (options.irregular ? 1 : 0), kHidden, options);
  const Weights w(cell);
  const Tensor x = random({kSteps, kBatch, cell.inputs()}, 1, 0.1, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(x);
  for (Index b = 0; b < kBatch; ++b) {
    Numbers h(kHidden, 0.0);
    for (Index t = 0; t < kSteps; ++t) {
      Numbers values = at_step(x, t, b);
      const double dt = options.irregular ? values.back() : options.dt;
      values.resize(kInputs);
      const Numbers a = heads(w, h, values, options.backbone_units);
      for (std::size_t k = 0; k < kHidden; ++k) {
        const double s = logistic(-a[k] * dt);
        const double g = std::tanh(a[kHidden + k]);
        const double end = std::tanh(a[2 * kHidden + k]);
        h[k] = options.gated ? s * g + (1.0 - s) * end : s * g + end;
      }
      expect_values(result.outputs.value().select(0, t).select(0, b), h);
    }
  }
}

}  // namespace

TEST_CASE("a CfC computes the gated equation of its paper") { expect_by_hand({.dt = 0.7}); }

TEST_CASE("a CfC without gate computes its equation") {
  expect_by_hand({.gated = false, .dt = 1.3});
}

TEST_CASE("a CfC with a backbone computes its heads from it") {
  expect_by_hand({.backbone_units = 6, .irregular = true});
}

TEST_CASE("a CfC in irregular time computes each step with its own elapsed time") {
  expect_by_hand({.irregular = true});
}

TEST_CASE("CfC keeps the contract of a cell") {
  for (const nn::CfCOptions& options :
       {nn::CfCOptions{}, nn::CfCOptions{.gated = false}, nn::CfCOptions{.backbone_units = 5}}) {
    const nn::CellReport report = nn::check_cell(nn::CfC(3, 4, options));
    CHECK_MESSAGE(report, report.to_string());
  }
}

TEST_CASE("CfC keeps the contract of a cell in irregular time") {
  const nn::CellReport report =
      nn::check_cell(MappedInputs(nn::CfC(3, 4, {.irregular = true}), 3, with_positive_time));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("the gate of a CfC moves from one head to the other as time passes") {
  const nn::CfC cell = in_float64(2, 1, {.irregular = true});
  for (const char* name : {"weight_ih", "weight_hh"}) set_all(cell, name, 0.0);
  for (auto [name, parameter] : cell.named_parameters())
    if (name == "bias") parameter.set(Tensor::of<double>({3}, {2.0, 0.5, -1.5}));
  const auto after = [&](double dt) {
    return nn::Recurrent(cell)(Tensor::of<double>({1, 1, 2}, {0.0, dt})).state[0].item();
  };
  CHECK(after(0.0) == doctest::Approx((std::tanh(0.5) + std::tanh(-1.5)) / 2.0));
  CHECK(after(100.0) == doctest::Approx(std::tanh(-1.5)));
  CHECK(after(0.1) > after(0.2));
}

TEST_CASE("a CfC refuses elapsed times that are negative, by step and sequence") {
  const nn::Recurrent rnn(in_float64(2, 3, {.irregular = true}));
  Tensor x = ones({4, 3, 2}, Dtype::float64);
  x.mutable_data<double>()[(3 * 3 + 2) * 2 + 1] = -0.25;
  expect_error<ArgumentError>([&] { rnn(x); }, {"CfC", "step 3", "sequence 2", "-0.25"});
  const Tensor padded = rnn(x, {}, {.lengths = {4, 2, 3}}).outputs.value();
  CHECK(all_true(is_finite(padded)).item() == 1.0);
}

TEST_CASE("CfC refuses options out of range") {
  expect_error<ArgumentError>([] { nn::CfC(1, 2, {.backbone_units = -1}); },
                              {"CfC", "backbone_units", "-1"});
  expect_error<ArgumentError>([] { nn::CfC(1, 2, {.dt = 0.0}); }, {"CfC", "dt", "positive"});
  expect_error<ArgumentError>([] { nn::CfC(1, 2, {.irregular = true}); }, {"CfC", "inputs", "2"});
}

}  // namespace unroll::testing
