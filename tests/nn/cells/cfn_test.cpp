// The chaos free network against its equations; its states decay without input.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer() {
  nn::Recurrent rnn(nn::CFN(kInputs, kHidden));
  randomize(rnn, 1);
  return rnn;
}

TEST_CASE("a chaos free network follows its equations") {
  const nn::Recurrent rnn = layer();
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    for (Index j = 0; j < kHidden; ++j) {
      const auto gate = [&](Index row) {
        return logistic(w.row("weight_ih", row, x) + w.row("weight_hh", row, h) +
                        w.at("bias", row));
      };
      double& next = state[0][static_cast<std::size_t>(j)];
      next = gate(j) * std::tanh(next) +
             gate(kHidden + j) * std::tanh(w.row("weight_ih", 2 * kHidden + j, x));
    }
  });
}

TEST_CASE("a chaos free network keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::CFN(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("without input every unit of a chaos free network decays to 0") {
  const nn::Recurrent rnn = layer();
  // Weights this large make other gated networks chaotic.
  parameter_of(rnn, "weight_hh").set(random({2 * kHidden, kHidden}, 3, -9.0, 9.0));
  const Tensor h = random({2, kHidden}, 4, -2.0, 2.0);
  const nn::Sequence sequence = rnn(zeros({2000, 2, kInputs}, Dtype::float64), {h});
  const Variable sizes = abs(sequence.outputs);
  const Tensor shrinks = lt(slice(sizes, 0, 1, 50), slice(sizes, 0, 0, 49));
  CHECK(min(shrinks).item() == 1.0);
  CHECK(max(abs(slice(sequence.outputs, 0, 0, 1))).item() < max(abs(Variable(h))).item());
  // h' <= tanh(h) alone falls below sqrt(3 / (2 n)) after n steps.
  CHECK(max(abs(sequence.state[0])).item() < std::sqrt(3.0 / 4000.0));
}

TEST_CASE("a chaos free network remembers rather than reads at first") {
  const nn::Recurrent rnn(nn::CFN(kInputs, 2));
  expect_values(parameter_of(rnn, "bias").value(), {1.0, 1.0, -1.0, -1.0});
}

TEST_CASE("a chaos free network refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::CFN(0, 4); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::CFN(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
