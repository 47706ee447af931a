// Series with missing values: the imputation, the decays, and what a missing value must not do.
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

constexpr Index kVariables = 3, kHidden = 4, kSteps = 5, kBatch = 2;

Tensor mask_of(const Shape& shape, std::uint64_t seed) { return ge(random(shape, seed), 0.0); }

Tensor input(const Tensor& values, const Tensor& mask, const Tensor& elapsed) {
  return concat({Variable(values), Variable(mask), Variable(elapsed)}).value();
}

nn::GRUD in_float64(Index variables, Index hidden, const nn::GRUDOptions& options = {}) {
  nn::GRUD cell(variables, hidden, options);
  cell.to(Dtype::float64);
  return cell;
}

}  // namespace

TEST_CASE("a GRUD computes the equations of its paper") {
  const Tensor mean = Tensor::of<double>({3}, {0.5, -1.0, 2.0});
  const nn::GRUD cell = in_float64(kVariables, kHidden, {.mean = mean});
  const Weights w(cell);
  const Shape shape{kSteps, kBatch, kVariables};
  const Tensor values = random(shape, 1, -2.0, 2.0), mask = mask_of(shape, 2);
  const Tensor elapsed = random(shape, 3, 0.0, 3.0);
  const nn::Sequence result = nn::Recurrent(cell)(input(values, mask, elapsed));
  for (Index b = 0; b < kBatch; ++b) {
    Numbers h(kHidden, 0.0), last = mean.to_vector<double>();
    for (Index t = 0; t < kSteps; ++t) {
      const Numbers v = at_step(values, t, b), m = at_step(mask, t, b), d = at_step(elapsed, t, b);
      Numbers imputed(kVariables), decayed(kHidden), reset(kHidden), update(kHidden);
      for (std::size_t k = 0; k < kVariables; ++k) {
        const double gamma =
            std::exp(-std::max(0.0, w["decay_x_weight"][k] * d[k] + w["decay_x_bias"][k]));
        imputed[k] = m[k] == 1.0 ? v[k] : gamma * last[k] + (1.0 - gamma) * mean.at({Index(k)});
        if (m[k] == 1.0) last[k] = v[k];
      }
      for (std::size_t k = 0; k < kHidden; ++k)
        decayed[k] =
            h[k] * std::exp(-std::max(0.0, w.dot("decay_h_weight", k, d) + w["decay_h_bias"][k]));
      const auto from_input = [&](std::size_t row) {
        return w.dot("weight_ih", row, imputed) + w.dot("weight_mh", row, m) + w["bias"][row];
      };
      for (std::size_t k = 0; k < kHidden; ++k) {
        reset[k] = logistic(from_input(k) + w.dot("weight_hh", k, decayed)) * decayed[k];
        update[k] = logistic(from_input(kHidden + k) + w.dot("weight_hh", kHidden + k, decayed));
      }
      for (std::size_t k = 0; k < kHidden; ++k) {
        const double n = std::tanh(from_input(2 * kHidden + k) + w.dot("weight_nh", k, reset));
        h[k] = (1.0 - update[k]) * decayed[k] + update[k] * n;
      }
      expect_values(result.outputs.value().select(0, t).select(0, b), h);
    }
    expect_values(result.state[1].value().select(0, b), last);
  }
}

TEST_CASE("GRUD keeps the contract of a cell") {
  const nn::CellReport report =
      nn::check_cell(MappedInputs(nn::GRUD(1, 4, {.mean = full({1}, 0.3)}), 2, as_observations));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a missing value of a GRUD does not matter, be it NaN") {
  const nn::Recurrent rnn(in_float64(2, 3));
  const Shape shape{6, 2, 2};
  const Tensor values = random(shape, 1), mask = mask_of(shape, 2),
               elapsed = random(shape, 3, 0.0, 2.0);
  const Tensor missing =
      where(mask, Variable(values), std::numeric_limits<double>::quiet_NaN()).value();
  const auto run = [&](const Tensor& v) {
    Tape tape;
    const nn::Sequence result = rnn(input(v, mask, elapsed));
    const Gradients gradients = tape.gradients(sum(square(result.outputs)));
    std::vector<Tensor> all{result.outputs.value(), result.state[1].value()};
    for (const Parameter& parameter : rnn.parameters()) all.push_back(gradients[parameter].value());
    return all;
  };
  const std::vector<Tensor> plain = run(values), with_nan = run(missing);
  for (std::size_t k = 0; k < plain.size(); ++k) expect_close(with_nan[k], plain[k], 0.0);
}

TEST_CASE("the state of a GRUD keeps the last observation of each variable") {
  const nn::Recurrent rnn(in_float64(2, 3, {.mean = full({2}, 7.0)}));
  const Tensor values = Tensor::of<double>({3, 1, 2}, {1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  const Tensor mask = Tensor::of<double>({3, 1, 2}, {1.0, 0.0, 1.0, 0.0, 0.0, 0.0});
  const nn::Sequence run = rnn(input(values, mask, ones({3, 1, 2}, Dtype::float64)));
  expect_values(run.state[1].value(), {3.0, 7.0}, 0.0);
}

TEST_CASE("a GRUD forgets its state and its last observation when nothing is seen for long") {
  const nn::GRUD cell = in_float64(2, 3, {.mean = full({2}, 0.25)});
  for (const char* name : {"decay_x_weight", "decay_h_weight"}) set_all(cell, name, 1.0);
  const nn::Recurrent rnn(cell);
  const Tensor x = input(zeros({1, 1, 2}, Dtype::float64), zeros({1, 1, 2}, Dtype::float64),
                         full({1, 1, 2}, 1000.0, Dtype::float64));
  const Tensor first = rnn(x, {random({1, 3}, 1), random({1, 2}, 2)}).outputs.value();
  const Tensor second = rnn(x, {random({1, 3}, 3), random({1, 2}, 4)}).outputs.value();
  expect_close(first, second);
}

TEST_CASE("a GRUD refuses elapsed times that are negative, by step and sequence") {
  const nn::Recurrent rnn(in_float64(2, 3));
  const Tensor good = ones({3, 2, 2}, Dtype::float64);
  Tensor bad = good.clone();
  bad.mutable_data<double>()[(1 * 2 + 1) * 2] = -4.0;
  expect_error<ArgumentError>([&] { rnn(input(good, good, bad)); },
                              {"GRUD", "step 1", "sequence 1", "-4"});
}

TEST_CASE("GRUD refuses sizes below 1 and a mean of another shape") {
  expect_error<ArgumentError>([] { nn::GRUD(0, 2); }, {"inputs"});
  expect_error<ShapeError>([] { nn::GRUD(2, 2, {.mean = zeros({3})}); }, {"GRUD", "mean", "[2]"});
}

}  // namespace unroll::testing
