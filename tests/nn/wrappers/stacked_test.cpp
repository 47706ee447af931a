#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <string>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

nn::Stacked in_float64(nn::Stacked stacked) {
  stacked.to(Dtype::float64);
  return stacked;
}

Index zeros_in(const Tensor& x) {
  Index count = 0;
  for (double value : x.to_vector<double>()) count += value == 0.0;
  return count;
}

/// Returns its input: what dropout does to it shows.
class Identity : public nn::Cell {
 public:
  explicit Identity(Index size) : Cell(size, {size}) {}
  nn::Step step(const Variable& x, const nn::State&) const override { return {x}; }
};

}  // namespace

TEST_CASE("Stacked is each layer reading the outputs of the one before") {
  const nn::LSTM lower(3, 4);
  const nn::GRU middle(4, 5);
  const nn::Elman upper(5, 2);
  const nn::Stacked stacked = in_float64(nn::Stacked(lower, middle, upper));
  const Tensor x = random({6, 2, 3}, 1);
  const auto [outputs, states] = stacked(x);

  const auto one = nn::Recurrent(lower)(x);
  const auto two = nn::Recurrent(middle)(one.outputs);
  const auto three = nn::Recurrent(upper)(two.outputs);
  CHECK(outputs.value().to_vector<double>() == three.outputs.value().to_vector<double>());
  REQUIRE(states.size() == 3);
  CHECK(states[0].size() == 2);
  expect_close(states[0][1].value(), one.state[1].value(), 0.0);
  expect_close(states[1][0].value(), two.state[0].value(), 0.0);
  expect_close(states[2][0].value(), three.state[0].value(), 0.0);
}

TEST_CASE("states carried over two halves give what one run gives") {
  const nn::Stacked stacked = in_float64(nn::Stacked(nn::LSTM(3, 4), nn::GRU(4, 5)));
  const Tensor x = random({7, 2, 3}, 2);
  const auto [outputs, states] = stacked(x);
  const auto [first, between] = stacked(x.slice(0, 0, 4));
  const auto [second, last] = stacked(x.slice(0, 4, 7), nn::detach(between));
  expect_close(concat({first, second}, 0).value(), outputs.value(), 1e-14);
  for (std::size_t k = 0; k < states.size(); ++k)
    expect_close(last[k][0].value(), states[k][0].value(), 1e-14);
}

TEST_CASE("detach makes every state of every layer a constant") {
  const nn::Stacked stacked(nn::LSTM(3, 4), nn::LSTM(4, 4));
  Tape tape;
  const auto states = stacked(zeros({2, 1, 3})).states;
  const auto constants = nn::detach(states);
  REQUIRE(constants.size() == 2);
  for (std::size_t k = 0; k < 2; ++k) {
    REQUIRE(constants[k].size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(states[k][i].recorded());
      CHECK_FALSE(constants[k][i].recorded());
    }
  }
}

TEST_CASE("the gradients of a stack agree with finite differences") {
  nn::Stacked stacked(nn::LSTM(2, 3), nn::GRU(3, 2));
  const auto report =
      nn::gradcheck(stacked, [&](std::span<const Variable> x) { return stacked(x[0]).outputs; },
                    {random({3, 2, 2}, 3)});
  CHECK_MESSAGE(report.passed, report.to_string());
  CHECK(report.checked > 100);
}

TEST_CASE("layers are numbered from 0 in the names of the weights, as in PyTorch") {
  std::vector<std::string> names;
  for (const auto& named : nn::Stacked(nn::LSTM(2, 3), nn::LSTM(3, 3)).named_parameters())
    names.push_back(named.name);
  CHECK(names == std::vector<std::string>{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0",
                                          "bias_hh_l0", "weight_ih_l1", "weight_hh_l1",
                                          "bias_ih_l1", "bias_hh_l1"});
}

TEST_CASE("layers can be added one by one") {
  nn::Stacked stacked(nn::GRU(2, 3));
  for (int k = 0; k < 3; ++k) stacked.push_back(nn::GRU(3, 3));
  CHECK(stacked.layers().size() == 4);
  CHECK(stacked.named_parameters().back().name == "bias_hh_l3");
  CHECK(stacked(zeros({2, 1, 2})).states.size() == 4);
}

TEST_CASE("dropout acts between the layers, not before the first and not after the last") {
  seed(4);
  const Tensor x = ones({10, 4, 8});
  const nn::Stacked one({.dropout = 0.5}, Identity(8));
  CHECK(zeros_in(one(x).outputs.value()) == 0);

  nn::Stacked two({.dropout = 0.5}, Identity(8), Identity(8));
  const Tensor dropped = two(x).outputs.value();
  CHECK(zeros_in(dropped) > 100);  // of 320, half expected
  CHECK(zeros_in(dropped) < 220);
  for (double value : dropped.to_vector<double>()) CHECK((value == 0.0 || value == 2.0));

  // A third layer drops half of what is left: values of 4 show two masks, none of 8 no third.
  const nn::Stacked three({.dropout = 0.5}, Identity(8), Identity(8), Identity(8));
  for (double value : three(x).outputs.value().to_vector<double>())
    CHECK((value == 0.0 || value == 4.0));

  two.eval();
  expect_close(two(x).outputs.value(), x, 0.0);
}

TEST_CASE("a layer that does not fit the one below is refused, and the stack stays as it was") {
  expect_error<ArgumentError>([] { nn::Stacked(nn::LSTM(2, 3), nn::LSTM(4, 3)); },
                              {"layer 1", "4 inputs", "returns 3"});
  nn::Stacked stacked(nn::GRU(2, 3));
  expect_error<ArgumentError>([&] { stacked.push_back(nn::GRU(2, 3)); }, {"layer 1", "2", "3"});
  CHECK(stacked.layers().size() == 1);
  CHECK(stacked.named_parameters().size() == 4);
}

TEST_CASE("states of another number of layers are refused") {
  const nn::Stacked stacked(nn::GRU(2, 3), nn::GRU(3, 3));
  const auto states = stacked(zeros({1, 2, 2})).states;
  expect_error<ShapeError>([&] { stacked(zeros({1, 2, 2}), {states[0]}); }, {"1 layers", "are 2"});
  expect_error<ShapeError>([&] { stacked(zeros({1, 3, 2}), states); }, {"[2,3]", "batch of 3"});
}

TEST_CASE("a dropout rate outside [0, 1] is refused") {
  expect_error<ArgumentError>([] { nn::Stacked({.dropout = 1.5}, nn::GRU(2, 3)); },
                              {"dropout", "[0, 1]"});
}

TEST_CASE("a stack can be made of a number and a function of the layer") {
  const nn::Stacked stack(3, [](int layer) { return nn::GRU(layer == 0 ? 2 : 4, 4); },
                          {.dropout = 0.5});
  CHECK(stack.layers().size() == 3);
  CHECK(stack.named_parameters().back().name == "bias_hh_l2");
  CHECK(stack.parameters().size() == 12);
  CHECK_THROWS_AS(nn::Stacked(0, [](int) { return nn::GRU(2, 2); }), ArgumentError);
}

TEST_CASE("one cell in two layers is an error, unless it is said to be wanted") {
  const nn::GRU cell(4, 4);
  expect_error<ArgumentError>([&] { nn::Stacked(cell, cell); },
                              {"stacked", "weight_ih", "nn::clone", ".share = true"});
  expect_error<ArgumentError>([&] { nn::Stacked(nn::Bidirectional(cell, cell)); },
                              {"bidirectional", ".share = true"});
  CHECK(nn::Stacked({.share = true}, cell, cell).parameters().size() == 4);
  CHECK(nn::Stacked(cell, nn::clone(cell)).parameters().size() == 8);
  CHECK(nn::Bidirectional(cell, cell, {.share = true}).parameters().size() == 4);
}

TEST_CASE("a residual stack adds to each layer's outputs what it read") {
  const nn::Stacked stack =
      in_float64(nn::Stacked({.residual = true}, nn::GRU(3, 4), nn::GRU(4, 4)));
  const Tensor x = random({5, 2, 3}, 1);
  const auto& layer = [&](std::size_t k) -> const nn::Recurrent& {
    return std::get<nn::Recurrent>(stack.layers()[k]);
  };
  const Variable lower = layer(0)(x).outputs;
  expect_close(stack(x).outputs.value(), (layer(1)(lower).outputs + lower).value(), 0.0);
}

TEST_CASE("a dense stack reads all layers below") {
  const nn::Stacked stack =
      in_float64(nn::Stacked({.dense = true}, nn::GRU(3, 4), nn::GRU(7, 2), nn::GRU(9, 1)));
  const Tensor x = random({5, 2, 3}, 1);
  const auto& layer = [&](std::size_t k) -> const nn::Recurrent& {
    return std::get<nn::Recurrent>(stack.layers()[k]);
  };
  const Variable one = concat({x, layer(0)(x).outputs});
  const Variable two = concat({one, layer(1)(one).outputs});
  expect_close(stack(x).outputs.value(), layer(2)(two).outputs.value(), 0.0);
  expect_error<ArgumentError>([] { nn::Stacked({.dense = true}, nn::GRU(3, 4), nn::GRU(4, 4)); },
                              {"layer 1", "7"});
}

TEST_CASE("boundaries inside sequences reach every layer") {
  const nn::Stacked stack = in_float64(nn::Stacked(nn::GRU(3, 4), nn::GRU(4, 2)));
  const Tensor x = random({5, 2, 3}, 1);
  Tensor resets = zeros({5, 2});
  resets.in_place<float>()[2 * 2] = 1;
  resets.in_place<float>()[2 * 2 + 1] = 1;
  const Variable together = stack(x, {}, {.resets = resets}).outputs;
  expect_close(slice(together, 0, 2, 5).value(), stack(x.slice(0, 2, 5)).outputs.value(), 1e-15);
}
