// IndRNN against its equation; its units do not read each other.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <utility>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer(const nn::IndRNNOptions& options = {}) {
  nn::Recurrent rnn(nn::IndRNN(kInputs, kHidden, options));
  randomize(rnn, 1);
  return rnn;
}

template <class F>
void expect_equation(const nn::Recurrent& rnn, const F& f) {
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    for (Index j = 0; j < kHidden; ++j) {
      double& h = state[0][static_cast<std::size_t>(j)];
      h = f(w.row("weight_ih", j, x) + w.at("bias", j) + w.at("weight_hh", j) * h);
    }
  });
}

TEST_CASE("an IndRNN follows its equation") {
  expect_equation(layer(), [](double a) { return a > 0.0 ? a : 0.0; });
  expect_equation(layer({.activation = tanh}), [](double a) { return std::tanh(a); });
}

TEST_CASE("an IndRNN keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::IndRNN(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
  const nn::CellReport smooth = nn::check_cell(nn::IndRNN(kInputs, kHidden, {.activation = tanh}));
  CHECK_MESSAGE(smooth, smooth.to_string());
}

TEST_CASE("an IndRNN is an Elman network with a diagonal of recurrent weights") {
  const nn::Recurrent rnn = layer();
  const nn::Recurrent elman(nn::Elman(kInputs, kHidden, {.activation = relu}));
  parameter_of(elman, "weight_ih").set(parameter_of(rnn, "weight_ih").value());
  parameter_of(elman, "bias_ih").set(parameter_of(rnn, "bias").value());
  parameter_of(elman, "bias_hh").set(zeros({kHidden}, Dtype::float64));
  const Variable u = parameter_of(rnn, "weight_hh");
  const Tensor eye = eq(arange(kHidden).reshape({kHidden, 1}), arange(kHidden)).to(Dtype::float64);
  parameter_of(elman, "weight_hh").set((u * eye).value());
  const Tensor x = random({8, 2, kInputs}, 4);
  expect_close(rnn(x).outputs.value(), elman(x).outputs.value());
}

TEST_CASE("the gradient of an IndRNN with relu survives a thousand steps") {
  constexpr Index kSteps = 1000;
  const double bound = std::pow(2.0, 1.0 / kSteps);
  const nn::Recurrent rnn = layer();
  parameter_of(rnn, "weight_hh").set(Tensor::of<double>({kHidden}, {1.0, bound, 1.0, bound}));
  // Sums above 0 keep every relu open.
  parameter_of(rnn, "bias").set(full({kHidden}, 0.1, Dtype::float64));
  Tape tape;
  const Variable h = tape.watch(ones({1, kHidden}, Dtype::float64));
  const nn::Sequence sequence = rnn(zeros({kSteps, 1, kInputs}, Dtype::float64), {h});
  const Gradients gradients = tape.gradients(sum(sequence.state[0]));
  expect_values(gradients[h].value(), {1.0, 2.0, 1.0, 2.0}, 1e-10);
}

TEST_CASE("the recurrent weights of an IndRNN are drawn from their range") {
  seed(1);
  const auto range = [](const nn::IndRNNOptions& options) {
    const Variable u = parameter_of(nn::Recurrent(nn::IndRNN(1, 200, options)), "weight_hh");
    return std::pair{min(u).item(), max(u).item()};
  };
  const auto [low, high] = range({});
  CHECK(low >= 0.0);
  CHECK(low < 0.1);
  CHECK(high > 0.9);
  CHECK(high <= 1.0);
  const auto [from, to] = range({.min_recurrent = 0.99, .max_recurrent = 1.01});
  CHECK(from >= 0.99 - 1e-6);
  CHECK(to <= 1.01 + 1e-6);
}

TEST_CASE("an IndRNN refuses a range that makes no sense") {
  expect_error<ArgumentError>(
      [] { nn::IndRNN(3, 4, {.min_recurrent = 1.0, .max_recurrent = 0.5}); },
      {"IndRNN", "min_recurrent", "1.0", "0.5"});
  expect_error<ArgumentError>([] { nn::IndRNN(3, 4, {.max_recurrent = HUGE_VAL}); },
                              {"IndRNN", "inf", "finite"});
  expect_error<ArgumentError>([] { nn::IndRNN(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
