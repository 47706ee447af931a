// What the wrappers around a single cell do to values and statistics, and that any of them around
// any other keeps the contract of a cell.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// A copy in float64 of whatever is given.
template <class M>
M wide(M module) {
  module.to(Dtype::float64);
  return module;
}

double share_of_zeros(const Tensor& x) {
  double zeros = 0.0;
  for (const double value : x.to_vector<double>()) zeros += value == 0.0;
  return zeros / static_cast<double>(x.size());
}

double mean_of(const Tensor& x) { return mean(x).item(); }

/// h' = x: what happens to inputs and outputs shows.
class Pass : public nn::Cell {
 public:
  explicit Pass(Index size) : Cell(size, {size}) {}
  nn::Step step(const Variable& x, const nn::State&) const override { return {x}; }
};

/// h' = h: what happens to the state shows.
class Keep : public nn::Cell {
 public:
  explicit Keep(Index size) : Cell(size, {size}) {}
  nn::Step step(const Variable& x, const nn::State& h) const override { return {h[0] + 0.0 * x}; }
};

const Tensor kOnes = ones({40, 5, 50}, Dtype::float64);

}  // namespace

TEST_CASE("variational dropout of the input has one mask for all steps, with the mean kept") {
  const nn::Recurrent rnn(nn::VariationalDropout(Pass(50), {.input = 0.25}));
  const Tensor y = rnn(kOnes).outputs.value();
  CHECK(share_of_zeros(y) == doctest::Approx(0.25).epsilon(0.3));
  CHECK(mean_of(y) == doctest::Approx(1.0).epsilon(0.1));
  for (Index t = 1; t < 40; ++t) expect_close(y.select(0, t), y.select(0, 0), 0.0);
  CHECK(y.select(1, 0).to_vector<double>() != y.select(1, 1).to_vector<double>());
}

TEST_CASE("variational dropout of the output and of the state act where they say") {
  const nn::Recurrent output(nn::VariationalDropout(Pass(50), {.output = 0.5}));
  const auto [y, state] = output(kOnes);
  CHECK(share_of_zeros(y.value()) == doctest::Approx(0.5).epsilon(0.3));
  CHECK(share_of_zeros(state[0].value()) == 0.0);
  const nn::Recurrent kept(nn::VariationalDropout(Keep(50), {.state = 0.5}));
  const Tensor h = kept(slice(kOnes, 0, 0, 2), {ones({5, 50}, Dtype::float64)}).state[0].value();
  CHECK(share_of_zeros(h) == doctest::Approx(0.5).epsilon(0.3));
  for (const double value : h.to_vector<double>()) CHECK((value == 0.0 || value == 4.0));
}

TEST_CASE("out of training mode regularisers draw nothing and change nothing") {
  const nn::LSTM cell = wide(nn::LSTM(3, 3));
  const Tensor x = random({6, 2, 3}, 1);
  const Tensor plain = nn::Recurrent(cell)(x).outputs.value();
  const std::vector<nn::AnyCell> wrapped{
      nn::VariationalDropout(cell, {.input = 0.5, .state = 0.5, .output = 0.5}),
      nn::WeightDrop(cell, "weight_hh", 0.5), nn::OutputDropout(cell, 0.5),
      nn::Zoneout(cell, {0.0, 0.0})};
  for (const nn::AnyCell& one : wrapped) {
    nn::Recurrent rnn(one);
    rnn.eval();
    const std::uint64_t position = default_generator().position();
    expect_close(rnn(x).outputs.value(), plain, 1e-15);
    CHECK(default_generator().position() == position);
    rnn.train();
  }
}

TEST_CASE("weight drop zeroes weights for a whole call, and the gradient goes to the weight") {
  const nn::LSTM cell = wide(nn::LSTM(3, 20));
  const nn::Recurrent rnn(nn::WeightDrop(cell, "weight_hh", 0.5));
  CHECK(rnn.named_parameters()[1].name == "weight_hh_l0");
  CHECK(rnn.parameters().size() == 4);
  const Tensor x = random({6, 2, 3}, 1);
  seed(4);
  Tape tape;
  const Variable loss = sum(square(rnn(x).outputs));
  const Tensor slope = tape.gradients(loss)[nn::find_parameter(cell, "weight_hh")].value();
  // Where a weight was dropped it has no influence.
  CHECK(share_of_zeros(slope) == doctest::Approx(0.5).epsilon(0.1));
  // The same by hand: the cell with the weight that was drawn.
  seed(4);
  nn::LSTM by_hand = nn::clone(cell);
  Parameter weight = nn::find_parameter(by_hand, "weight_hh");
  weight.set(dropout(weight.value(), 0.5).value());
  expect_close(
      nn::Recurrent(by_hand)(x).outputs.value(),
      [&] {
        seed(4);
        return rnn(x).outputs.value();
      }(),
      1e-14);
}

TEST_CASE("a weight that does not exist is refused with those that do") {
  expect_error<ArgumentError>([] { nn::WeightDrop(nn::GRU(2, 3), "weight_hx", 0.5); },
                              {"WeightDrop", "weight_hx", "weight_ih [9,2], weight_hh"});
  expect_error<ArgumentError>([] { nn::WeightNorm(nn::GRU(2, 3), "weight"); }, {"WeightNorm"});
  expect_error<ArgumentError>([] { nn::WeightNorm(nn::GRU(2, 3), "bias_hh"); }, {"rows"});
}

TEST_CASE("weight normalisation changes nothing at first, and then g alone sets the length") {
  const nn::GRU cell = wide(nn::GRU(3, 4));
  const nn::Recurrent rnn(nn::WeightNorm(cell, "weight_hh"));
  const Tensor x = random({6, 2, 3}, 1);
  const Tensor plain = nn::Recurrent(cell)(x).outputs.value();
  nn::Recurrent normed = wide(rnn);
  expect_close(normed(x).outputs.value(), plain, 1e-6);  // g was made of float32
  const Tensor before = normed(x).outputs.value();
  Parameter v = nn::find_parameter(cell, "weight_hh");
  v.set((v.value() * Variable(full({}, 7.0, Dtype::float64))).value());
  expect_close(normed(x).outputs.value(), before, 1e-13);
  Parameter g = nn::find_parameter(normed, "weight_hh_g_l0");
  CHECK(g.shape() == Shape{12});
  g.set(zeros({12}, Dtype::float64));
  CHECK(normed(x).outputs.value().to_vector<double>() != before.to_vector<double>());
}

TEST_CASE("a weight that is normalised is never read as it is") {
  const nn::WeightNorm cell(nn::GRU(2, 3), "weight_hh");
  const Variable projected = cell.project(ones({1, 1, 2}));
  expect_error<ArgumentError>(
      [&] {
        static_cast<void>(
            cell.step(select(projected, 0, 0), cell.initial_state(1, Dtype::float32)));
      },
      {"WeightNorm", "outside of a call"});
}

TEST_CASE("zoneout keeps each element with its rate, and out of training takes the mean") {
  // The state of Pass is x: 0, then 1 at every step; a kept element shows as 0.
  nn::Recurrent rnn(nn::Zoneout(Pass(50), {0.2}));
  const Tensor first = rnn(kOnes).outputs.value().select(0, 0);
  CHECK(share_of_zeros(first) == doctest::Approx(0.2).epsilon(0.4));
  const Tensor second = rnn(kOnes).outputs.value().select(0, 1);
  CHECK(share_of_zeros(second) == doctest::Approx(0.04).epsilon(0.9));
  rnn.eval();
  const Tensor mean = rnn(kOnes).outputs.value();
  CHECK(mean.at({0, 0, 0}) == doctest::Approx(0.8));
  CHECK(mean.at({1, 0, 0}) == doctest::Approx(0.96));
}

TEST_CASE("zoneout has a rate for each state tensor") {
  const nn::Recurrent rnn(nn::Zoneout(nn::LSTM(2, 3), {1.0, 0.0}));
  const auto [outputs, state] = rnn(ones({4, 1, 2}));
  expect_close(outputs.value(), zeros({4, 1, 3}), 0.0);  // h stays what it was
  CHECK(state[1].value().at({0, 0}) != 0.0);
  expect_error<ArgumentError>([] { nn::Zoneout(nn::LSTM(2, 3), {0.5}); }, {"Zoneout", "1", "2"});
  expect_error<ArgumentError>([] { nn::Zoneout(nn::GRU(2, 3), {1.5}); }, {"Zoneout", "1.5"});
}

TEST_CASE("output dropout draws anew at each step and leaves the state whole") {
  const auto [y, state] = nn::Recurrent(nn::OutputDropout(Pass(50), 0.5))(kOnes);
  CHECK(share_of_zeros(y.value()) == doctest::Approx(0.5).epsilon(0.1));
  CHECK(y.value().select(0, 0).to_vector<double>() != y.value().select(0, 1).to_vector<double>());
  CHECK(share_of_zeros(state[0].value()) == 0.0);
}

TEST_CASE("residual and highway are the cell's output beside its input") {
  const nn::GRU cell = wide(nn::GRU(4, 4));
  const Tensor x = random({5, 2, 4}, 1);
  const Variable y = nn::Recurrent(cell)(x).outputs;
  expect_close(nn::Recurrent(nn::Residual(cell))(x).outputs.value(), (y + x).value(), 1e-15);
  const nn::Highway highway = wide(nn::Highway(cell));
  const Variable t = sigmoid(linear(x, nn::find_parameter(highway, "transform.weight"),
                                    nn::find_parameter(highway, "transform.bias")));
  expect_close(nn::Recurrent(highway)(x).outputs.value(), (t * y + (1.0 - t) * x).value(), 1e-14);
  CHECK(nn::find_parameter(highway, "transform.bias").value().at({0}) == -1.0);
  expect_error<ArgumentError>([] { nn::Residual(nn::GRU(3, 4)); }, {"Residual", "3", "4"});
  expect_error<ArgumentError>([] { nn::Highway(nn::GRU(3, 4)); }, {"Highway", "3", "4"});
}

TEST_CASE("output normalisation is layer_norm of the outputs") {
  const nn::GRU cell = wide(nn::GRU(3, 4));
  const Tensor x = random({5, 2, 3}, 1);
  const Variable y = nn::Recurrent(cell)(x).outputs;
  expect_close(nn::Recurrent(wide(nn::OutputNorm(cell)))(x).outputs.value(),
               layer_norm(y, ones({4}, Dtype::float64), zeros({4}, Dtype::float64)).value(), 1e-14);
}

TEST_CASE("a learned state starts every sequence and is trained") {
  const nn::LearnedState cell = wide(nn::LearnedState(nn::LSTM(2, 3)));
  Parameter start = nn::find_parameter(cell, "start_1");
  start.set(random({3}, 5));
  const nn::Recurrent rnn(cell);
  const Tensor x = random({4, 2, 2}, 1);
  const nn::State given{zeros({2, 3}, Dtype::float64), broadcast_to(start.value(), {2, 3}).value()};
  expect_close(rnn(x).outputs.value(), rnn(x, given).outputs.value(), 0.0);
  Tape tape;
  const Gradients gradients = tape.gradients(sum(rnn(x).outputs));
  CHECK(share_of_zeros(gradients[start].value()) == 0.0);
}

TEST_CASE("wrapped cells of every kind keep the contract, in and out of training") {
  const auto kinds = [](const nn::AnyCell& cell, std::size_t states) {
    std::vector<double> rates(states, 0.3);
    return std::vector<nn::AnyCell>{
        nn::VariationalDropout(cell, {.input = 0.3, .state = 0.3, .output = 0.3}),
        nn::Zoneout(cell, rates),
        nn::OutputDropout(cell, 0.3),
        nn::Residual(cell),
        nn::Highway(cell),
        nn::OutputNorm(cell),
        nn::LearnedState(cell)};
  };
  std::vector<nn::AnyCell> all;
  for (const nn::AnyCell& one : kinds(nn::LSTM(3, 3), 2)) all.push_back(one);
  for (const nn::AnyCell& one : kinds(nn::MinGRU(3, 3), 1)) all.push_back(one);
  all.push_back(nn::WeightDrop(nn::WeightDrop(nn::LSTM(3, 3), "weight_hh", 0.3), "weight_ih", 0.3));
  all.push_back(nn::WeightNorm(nn::LSTM(3, 3), "weight_hh"));
  for (const nn::AnyCell& one : all) {
    nn::Recurrent rnn(one);
    for (const bool training : {true, false}) {
      rnn.train(training);
      const nn::CellReport report = nn::check_cell(rnn, {.steps = 4, .second_order = training});
      CHECK_MESSAGE(report, report.to_string());
    }
  }
}

TEST_CASE("thirty random compositions of wrappers keep the contract") {
  Generator generator(11);
  const auto wrap = [&](nn::AnyCell cell) -> nn::AnyCell {
    const std::vector<double> rates(cell->state_shapes().size(), 0.2);
    switch (generator.below(8)) {
      case 0:
        return nn::VariationalDropout(cell, {.input = 0.2, .state = 0.2, .output = 0.2});
      case 1:
        return nn::Zoneout(cell, rates);
      case 2:
        return nn::OutputDropout(cell, 0.2);
      case 3:
        return nn::Residual(cell);
      case 4:
        return nn::Highway(cell);
      case 5:
        return nn::OutputNorm(cell);
      case 6:
        return nn::WeightDrop(cell, cell->named_parameters().back().name, 0.2);
      default:
        for (const auto& [name, parameter] : cell->named_parameters())
          if (name == "weight_hh") return nn::WeightNorm(cell, name);
        return nn::Residual(cell);
    }
  };
  const std::vector<std::function<nn::AnyCell()>> cells{
      [] { return nn::GRU(3, 3); }, [] { return nn::LSTM(3, 3); }, [] { return nn::Elman(3, 3); },
      [] { return nn::MinGRU(3, 3); }, [] { return nn::LayerNormLSTM(3, 3); }};
  for (int k = 0; k < 30; ++k) {
    CAPTURE(k);
    nn::AnyCell cell = cells[generator.below(cells.size())]();
    for (std::uint64_t depth = 2 + generator.below(3); depth > 0; --depth) {
      try {
        cell = wrap(cell);
      } catch (const ArgumentError& error) {
        // WeightNorm twice around one cell takes its name twice.
        CHECK(std::string(error.what()).find("taken") != std::string::npos);
      }
    }
    nn::Recurrent rnn(cell);
    const nn::CellReport report =
        nn::check_cell(rnn, {.steps = 3, .batch = 2, .second_order = k % 3 == 0});
    CHECK_MESSAGE(report, report.to_string());
  }
}

}  // namespace unroll::testing
