// The cells one by one, and a cell of a user's own.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// Minimal gated unit (Zhou et al., 2016), as a user writes it: only the step and the projection.
class MinimalGatedUnit : public nn::Cell {
 public:
  MinimalGatedUnit(Index inputs, Index hidden)
      : Cell(inputs, {hidden}),
        input_(add("input", nn::Linear(inputs, 2 * hidden))),
        forget_(add("forget", nn::Linear(hidden, hidden))),
        candidate_(add("candidate", nn::Linear(hidden, hidden))) {}

  Variable project(const Variable& x) const override { return input_(x); }

  nn::Step step(const Variable& x, const nn::State& state) const override {
    auto [xf, xc] = split<2>(x);
    Variable f = sigmoid(xf + forget_(state[0]));
    Variable c = tanh(xc + candidate_(f * state[0]));
    return {pointwise([](auto gate, auto h, auto next) { return h + gate * (next - h); }, f,
                      state[0], c)};
  }

 private:
  nn::Linear input_, forget_, candidate_;
};

/// No projection, a first state that is learned, and an output that is not its state.
class Leaky : public nn::Cell {
 public:
  Leaky(Index inputs, Index hidden)
      : Cell(inputs, {hidden}),
        first(parameter("first", full({hidden}, 0.5))),
        weight(parameter("weight", nn::init::xavier_uniform({hidden, inputs}))) {}

  nn::State initial_state(Index batch, Dtype dtype) const override {
    return {broadcast_to(first, {batch, state_sizes()[0]}) *
            Variable(ones({batch, state_sizes()[0]}, dtype))};
  }
  nn::Step step(const Variable& x, const nn::State& state) const override {
    return {0.75 * state[0] + linear(x, weight)};
  }
  Variable output(const nn::State& state) const override {
    return sum(state[0], {1}, /*keep_axes=*/true);
  }
  Index outputs() const override { return 1; }

  Parameter first, weight;
};

void check_gradients(nn::Recurrent rnn, Index parameters) {
  const Index steps = 3;
  const Index batch = 2;
  const Tensor x = random({steps, batch, rnn.cell().inputs()}, 1);
  const GradcheckReport report = nn::gradcheck(rnn, x);
  CHECK_MESSAGE(report.passed, report.to_string());
  Index states = 0;
  for (Index size : rnn.cell().state_sizes()) states += batch * size;
  CHECK(report.checked == x.size() + states + parameters);
}

}  // namespace

TEST_CASE("the gradients of every cell agree with finite differences") {
  const Index i = 3;
  const Index h = 4;
  SUBCASE("Elman, tanh") { check_gradients(nn::Recurrent(nn::Elman(i, h)), h * i + h * h + 2 * h); }
  SUBCASE("Elman, sigmoid") {
    check_gradients(nn::Recurrent(nn::Elman(i, h, {.activation = sigmoid})), h * i + h * h + 2 * h);
  }
  SUBCASE("Elman with fixed context weights") {
    check_gradients(nn::Recurrent(nn::FixedContextElman(i, h)), h * i + h);
    check_gradients(
        nn::Recurrent(nn::FixedContextElman(i, h, {.activation = sigmoid, .bias = false})), h * i);
  }
  SUBCASE("fully recurrent") {
    check_gradients(nn::Recurrent(nn::FullyRecurrent(i, h)), h * i + h + h * h);
    check_gradients(nn::Recurrent(nn::FullyRecurrent(i, h, {.activation = sigmoid, .bias = false})),
                    h * i + h * h);
  }
  SUBCASE("GRU") { check_gradients(nn::Recurrent(nn::GRU(i, h)), 3 * (h * i + h * h + 2 * h)); }
  SUBCASE("LSTM") { check_gradients(nn::Recurrent(nn::LSTM(i, h)), 4 * (h * i + h * h + 2 * h)); }
  SUBCASE("LSTM with layer normalisation") {
    check_gradients(nn::Recurrent(nn::LayerNormLSTM(i, h)), 4 * (h * i + h * h + 3 * h) + 2 * h);
  }
  SUBCASE("a user's") {
    check_gradients(nn::Recurrent(MinimalGatedUnit(i, h)), 2 * h * i + 2 * h + 2 * (h * h + h));
  }
  SUBCASE("a user's whose output is not its state") {
    check_gradients(nn::Recurrent(Leaky(i, h)), h + h * i);
  }
}

TEST_CASE("gradcheck leaves the parameters of a module bit for bit as they were") {
  nn::Recurrent rnn(nn::LSTM(3, 4));
  std::vector<std::vector<float>> before;
  for (const Parameter& p : rnn.parameters()) before.push_back(p.value().to_vector<float>());
  CHECK(nn::gradcheck(nn::Recurrent(nn::Elman(3, 2)), random({2, 1, 3}, 2)).passed);
  CHECK(nn::gradcheck(rnn, random({2, 1, 3}, 2)).passed);
  for (std::size_t k = 0; k < before.size(); ++k) {
    CHECK(rnn.parameters()[k].dtype() == Dtype::float32);
    CHECK(rnn.parameters()[k].value().to_vector<float>() == before[k]);
  }
}

TEST_CASE("gradcheck finds a cell whose gradient is cut, and names the parameter") {
  class Cut : public nn::Elman {
   public:
    using nn::Elman::Elman;
    nn::Step step(const Variable& x, const nn::State& state) const override {
      return nn::Elman::step(detach(x), state);
    }
  };
  nn::Recurrent rnn(Cut(3, 4));
  const GradcheckReport report = nn::gradcheck(rnn, random({3, 2, 3}, 3));
  CHECK_FALSE(report.passed);
  REQUIRE_FALSE(report.failures.empty());
  CHECK(report.to_string().find("weight_ih") != std::string::npos);
  CHECK(report.findings[0].cause == Cause::stop_gradient);
  // What does not go through the cut is still right.
  for (const GradcheckFailure& failure : report.failures)
    CHECK(failure.input.find("weight_hh") == std::string::npos);
}

TEST_CASE("a user's cell trains: its loss falls under Adam") {
  seed(4);
  nn::Recurrent rnn(MinimalGatedUnit(2, 8));
  nn::Linear readout(8, 1);
  std::vector<Parameter> parameters = rnn.parameters();
  for (const Parameter& parameter : readout.parameters()) parameters.push_back(parameter);
  nn::Adam adam(parameters, {.learning_rate = 0.02});
  // Remember the first input over five steps.
  const Tensor x = random({5, 16, 2}, 5).to(Dtype::float32);
  const Tensor target = x.select(0, 0).slice(1, 0, 1);
  double first = 0.0;
  double last = 0.0;
  for (int k = 0; k < 150; ++k) {
    Tape tape;
    const auto [outputs, state] = rnn(x);
    const Variable loss = mean(square(readout(state[0]) - Variable(target)));
    adam.step(tape.gradients(loss));
    last = loss.item();
    if (k == 0) first = last;
  }
  CHECK(first > 0.1);
  CHECK(last < 0.1 * first);
}

TEST_CASE("a cell's state is zero before the first step unless the cell says otherwise") {
  const nn::State state = nn::LSTM(3, 2).initial_state(2, Dtype::float64);
  REQUIRE(state.size() == 2);
  for (const Variable& value : state) {
    CHECK(value.dtype() == Dtype::float64);
    expect_values(value.value(), {0.0, 0.0, 0.0, 0.0});
  }
}

TEST_CASE("a first state that is a parameter is used and learned") {
  const Leaky cell(2, 3);
  const nn::Recurrent rnn(cell);
  const Tensor x = zeros({2, 4, 2});
  Tape tape;
  const auto [outputs, state] = rnn(x);
  CHECK(outputs.shape() == Shape{2, 4, 1});
  expect_values(outputs.value().select(0, 1), std::vector<double>(4, 3 * 0.5 * 0.75 * 0.75));
  // outputs: 0.75 and 0.75^2 of the first state, for each of four rows.
  expect_values(tape.gradients(sum(outputs))[cell.first].value(),
                std::vector<double>(3, 4 * (0.75 + 0.75 * 0.75)));
}

TEST_CASE("a cell refuses sizes below 1") {
  expect_error<ArgumentError>([] { nn::LSTM(0, 3); }, {"inputs", "0"});
  expect_error<ArgumentError>([] { nn::GRU(3, 0); }, {"state size", "0"});
  expect_error<ArgumentError>([] { nn::Elman(3, -1); }, {"state size", "-1"});
  expect_error<ArgumentError>([] { nn::FixedContextElman(3, 0); }, {"state size", "0"});
  expect_error<ArgumentError>([] { nn::FullyRecurrent(0, 3); }, {"inputs", "0"});
  class Stateless : public nn::Cell {
   public:
    Stateless() : Cell(1, {}) {}
    nn::Step step(const Variable&, const nn::State& state) const override { return state; }
  };
  expect_error<ArgumentError>([] { Stateless(); }, {"at least one state"});
}

TEST_CASE("a state has no more tensors than it was made of") {
  nn::State state{Variable(zeros({2, 3})), Variable(zeros({2, 3}))};
  CHECK(state[1].shape() == Shape{2, 3});
  expect_error<ArgumentError>([&] { static_cast<void>(state[2]); }, {"state", "2"});
  expect_error<ArgumentError>([&] { state[3] = zeros({1}); }, {"state", "3"});
}
