// The minimal gated unit against its equations, and against the copy that docs/cells.md writes.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "support/hand_loop.hpp"

namespace unroll::testing {
namespace {

constexpr Index kInputs = 3, kHidden = 4;

nn::Recurrent layer() {
  nn::Recurrent rnn(nn::MinimalGatedUnit(kInputs, kHidden));
  randomize(rnn, 1);
  return rnn;
}

/// The cell of docs/cells.md.
class UsersCell : public nn::Cell {
 public:
  UsersCell(Index inputs, Index hidden)
      : Cell(inputs, {hidden}),
        input_(add("input", nn::Linear(inputs, 2 * hidden))),
        forget_(add("forget", nn::Linear(hidden, hidden, {.bias = false}))),
        candidate_(add("candidate", nn::Linear(hidden, hidden, {.bias = false}))) {}

  Variable project(const Variable& x) const override { return input_(x); }

  nn::Step step(const Variable& x, const nn::State& state) const override {
    const Variable& h = state[0];
    auto [xf, xc] = split<2>(x);
    Variable f = sigmoid(xf + forget_(h));
    Variable c = tanh(xc + candidate_(f * h));
    return {pointwise([](auto gate, auto old, auto next) { return old + gate * (next - old); }, f,
                      h, c)};
  }

 private:
  nn::Linear input_, forget_, candidate_;
};

TEST_CASE("a minimal gated unit follows its equations") {
  const nn::Recurrent rnn = layer();
  const HandWeights w(rnn);
  expect_by_hand(rnn, [&](const std::vector<double>& x, HandState& state) {
    const std::vector<double> h = state[0];
    std::vector<double> f, forgotten;
    for (Index j = 0; j < kHidden; ++j) {
      f.push_back(logistic(w.row("weight_ih", j, x) + w.at("bias", j) + w.row("weight_hf", j, h)));
      forgotten.push_back(f.back() * h[static_cast<std::size_t>(j)]);
    }
    for (Index j = 0; j < kHidden; ++j) {
      const auto k = static_cast<std::size_t>(j);
      const double c = std::tanh(w.row("weight_ih", kHidden + j, x) + w.at("bias", kHidden + j) +
                                 w.row("weight_hc", j, forgotten));
      state[0][k] = (1.0 - f[k]) * h[k] + f[k] * c;
    }
  });
}

TEST_CASE("a minimal gated unit keeps the contract of cells") {
  const nn::CellReport report = nn::check_cell(nn::MinimalGatedUnit(kInputs, kHidden));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("a minimal gated unit has the outputs and gradients of a user's copy") {
  const nn::Recurrent built_in = layer();
  const nn::Recurrent users(UsersCell(kInputs, kHidden));
  const std::array<std::pair<std::string, std::string>, 4> names{
      {{"weight_ih", "input.weight"},
       {"bias", "input.bias"},
       {"weight_hf", "forget.weight"},
       {"weight_hc", "candidate.weight"}}};
  for (const auto& [ours, theirs] : names)
    parameter_of(users, theirs).set(parameter_of(built_in, ours).value());

  const Tensor x = random({6, 2, kInputs}, 5);
  Tape tape;
  const Variable expected = users(x).outputs;
  const Variable actual = built_in(x).outputs;
  expect_close(actual.value(), expected.value());
  const Gradients expected_gradients = tape.gradients(sum(square(expected)));
  const Gradients gradients = tape.gradients(sum(square(actual)));
  for (const auto& [ours, theirs] : names)
    expect_close(gradients[parameter_of(built_in, ours)].value(),
                 expected_gradients[parameter_of(users, theirs)].value());
}

TEST_CASE("a closed gate of a minimal gated unit keeps the state") {
  const nn::Recurrent rnn = layer();
  Tensor bias = zeros({2 * kHidden}, Dtype::float64);
  for (Index j = 0; j < kHidden; ++j) bias.mutable_data<double>()[j] = -1000.0;
  parameter_of(rnn, "bias").set(bias);
  const Tensor h = random({2, kHidden}, 6);
  const nn::Sequence after = rnn(random({20, 2, kInputs}, 7), {h});
  expect_close(after.state[0].value(), h, 0.0);
}

TEST_CASE("a minimal gated unit refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::MinimalGatedUnit(0, 4); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::MinimalGatedUnit(3, 0); }, {"0"});
}

}  // namespace
}  // namespace unroll::testing
