#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <string>

#include "support/expect.hpp"
#include "support/hand_loop.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;

std::vector<double> normalised(const std::vector<double>& a, double epsilon) {
  const auto n = static_cast<double>(a.size());
  double mean = 0.0;
  for (const double value : a) mean += value / n;
  double variance = 0.0;
  for (const double value : a) variance += (value - mean) * (value - mean) / n;
  std::vector<double> result;
  for (const double value : a) result.push_back((value - mean) / std::sqrt(variance + epsilon));
  return result;
}

/// Rows begin to end - 1 of a matrix times v, normalised together.
std::vector<double> normalised_rows(const HandWeights& w, const std::string& name, Index begin,
                                    Index end, const std::vector<double>& v, double epsilon) {
  std::vector<double> a;
  for (Index row = begin; row < end; ++row) a.push_back(w.row(name, row, v));
  return normalised(a, epsilon);
}

}  // namespace

TEST_CASE("a layer-normalised GRU computes its equations") {
  constexpr double kEpsilon = 1e-3;
  nn::Recurrent rnn(nn::LayerNormGRU(kInputs, kHidden, {.epsilon = kEpsilon}));
  randomize(rnn, 1);
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    const auto rows = [&](const char* name, Index begin, Index end, const std::vector<double>& v) {
      return normalised_rows(w, name, begin, end, v, kEpsilon);
    };
    const std::vector<double> xg = rows("weight_ih", 0, 2 * kHidden, x);
    const std::vector<double> hg = rows("weight_hh", 0, 2 * kHidden, h);
    const std::vector<double> xn = rows("weight_ih", 2 * kHidden, 3 * kHidden, x);
    const std::vector<double> hn = rows("weight_hh", 2 * kHidden, 3 * kHidden, h);
    for (Index k = 0; k < kHidden; ++k) {
      const auto gate = [&](Index row) {
        const auto at = static_cast<std::size_t>(row);
        return logistic(w.at("scale_ih", row) * xg[at] + w.at("scale_hh", row) * hg[at] +
                        w.at("bias", row));
      };
      const auto unit = static_cast<std::size_t>(k);
      const Index row = 2 * kHidden + k;
      const double r = gate(k);
      const double z = gate(kHidden + k);
      const double n = std::tanh(w.at("scale_ih", row) * xn[unit] + w.at("bias", row) +
                                 r * (w.at("scale_hh", row) * hn[unit] + w.at("bias_hn", k)));
      state[0][unit] = (1.0 - z) * n + z * h[unit];
    }
  });
}

TEST_CASE("a layer-normalised GRU keeps the contract of a cell") {
  seed(1);
  const nn::CellReport report = nn::check_cell(nn::LayerNormGRU(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a layer-normalised GRU does not depend on the scale of its weights and inputs") {
  // Up to epsilon, which counts next to variances that are small.
  nn::Recurrent rnn(nn::LayerNormGRU(kInputs, kHidden, {.epsilon = 1e-14}));
  randomize(rnn, 2);
  const Tensor x = random({6, 2, kInputs}, 3);
  const nn::State start{random({2, kHidden}, 4)};
  const Tensor before = rnn(x, start).outputs.value();
  for (const char* name : {"weight_ih", "weight_hh"}) {
    Parameter weight = parameter_of(rnn, name);
    weight.set((7.0 * Variable(weight)).value());
  }
  expect_close(rnn((3.0 * Variable(x)).value(), start).outputs.value(), before, 1e-9);
}

TEST_CASE("an epsilon far above the variances makes a layer-normalised GRU a GRU") {
  // LN(a) is then (a - mean a) / sqrt(epsilon). Weights whose columns sum to 0 have sums of mean 0,
  // and scales of sqrt(epsilon) undo the division.
  constexpr double kEpsilon = 1e16;
  nn::Recurrent normalised_gru(nn::LayerNormGRU(kInputs, kHidden, {.epsilon = kEpsilon}));
  randomize(normalised_gru, 5);
  for (const char* name : {"weight_ih", "weight_hh"}) {
    const Variable weight = parameter_of(normalised_gru, name);
    const auto centred = [&](Index begin, Index end) {
      const Variable rows = slice(weight, 0, begin, end);
      return rows - mean(rows, {0}, true);
    };
    parameter_of(normalised_gru, name)
        .set(concat({centred(0, 2 * kHidden), centred(2 * kHidden, 3 * kHidden)}, 0).value());
  }
  for (const char* name : {"scale_ih", "scale_hh"})
    parameter_of(normalised_gru, name)
        .set(full({3 * kHidden}, std::sqrt(kEpsilon), Dtype::float64));
  nn::Recurrent gru(nn::GRU(kInputs, kHidden));
  for (const char* name : {"weight_ih", "weight_hh"})
    parameter_of(gru, name).set(parameter_of(normalised_gru, name).value());
  parameter_of(gru, "bias_ih").set(parameter_of(normalised_gru, "bias").value());
  parameter_of(gru, "bias_hh")
      .set(concat({zeros({2 * kHidden}, Dtype::float64),
                   Variable(parameter_of(normalised_gru, "bias_hn"))},
                  0)
               .value());
  const Tensor x = random({6, 2, kInputs}, 6);
  expect_close(normalised_gru(x).outputs.value(), gru(x).outputs.value());
}

TEST_CASE("a layer-normalised GRU refuses sizes below 1 and an epsilon that is not positive") {
  expect_error<ArgumentError>([] { nn::LayerNormGRU(0, 2); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::LayerNormGRU(2, 0); }, {"state size", "0"});
  expect_error<ArgumentError>([] { nn::LayerNormGRU(2, 2, {.epsilon = 0.0}); },
                              {"LayerNormGRU", "epsilon", "0"});
  expect_error<ArgumentError>([] { nn::LayerNormGRU(2, 2, {.epsilon = NAN}); }, {"epsilon", "nan"});
}

}  // namespace unroll::testing
