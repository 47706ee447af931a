// The recurrent additive network against its equations; its state as a sum of its inputs.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer(const nn::RANOptions& options = {}) {
  nn::Recurrent rnn(nn::RAN(kInputs, kHidden, options));
  randomize(rnn, 1);
  return rnn;
}

template <class G>
void expect_equations(const nn::Recurrent& rnn, const G& g) {
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    for (Index j = 0; j < kHidden; ++j) {
      const auto gate = [&](Index row) {
        return logistic(w.row("weight_ih", row, x) + w.row("weight_hh", row, h) +
                        w.at("bias", row));
      };
      const double content = w.row("weight_ih", 2 * kHidden + j, x);
      double& c = state[1][static_cast<std::size_t>(j)];
      c = gate(j) * content + gate(kHidden + j) * c;
      state[0][static_cast<std::size_t>(j)] = g(c);
    }
  });
}

TEST_CASE("a recurrent additive network follows its equations") {
  expect_equations(layer(), [](double c) { return std::tanh(c); });
}

TEST_CASE("a recurrent additive network may output its cell state") {
  expect_equations(layer({.activation = nn::linear_activation}), [](double c) { return c; });
}

TEST_CASE("a recurrent additive network keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::RAN(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
  const nn::CellReport linear =
      nn::check_cell(nn::RAN(kInputs, kHidden, {.activation = nn::linear_activation}));
  CHECK_MESSAGE(linear, linear.to_string());
}

TEST_CASE("with open gates a recurrent additive network adds up its contents") {
  const nn::Recurrent rnn = layer({.activation = nn::linear_activation});
  parameter_of(rnn, "bias").set(full({2 * kHidden}, 1000.0, Dtype::float64));
  const Tensor x = random({30, 2, kInputs}, 5);
  const Tensor weight = parameter_of(rnn, "weight_ih").value().slice(0, 2 * kHidden, 3 * kHidden);
  const Variable contents = linear(x, weight);
  expect_close(rnn(x).outputs.value(), cumsum(contents, 0).value());
}

TEST_CASE("a recurrent additive network refuses sizes below 1 and no activation") {
  expect_error<ArgumentError>([] { nn::RAN(0, 4); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::RAN(3, 0); }, {"0"});
  Variable (*none)(const Variable&) = nullptr;
  expect_error<ArgumentError>([&] { nn::RAN(3, 4, {.activation = none}); }, {"activation"});
}

}  // namespace
}  // namespace unroll::testing
