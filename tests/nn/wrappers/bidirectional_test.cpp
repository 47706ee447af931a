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

template <class Layer>
Layer in_float64(Layer layer) {
  layer.to(Dtype::float64);
  return layer;
}

std::vector<std::string> names_of(const nn::Module& module) {
  std::vector<std::string> names;
  for (const auto& named : module.named_parameters()) names.push_back(named.name);
  return names;
}

}  // namespace

TEST_CASE("Bidirectional is a run forward beside a run back, of cells of any kinds and sizes") {
  const nn::LSTM forward(3, 4);
  const nn::Jordan backward(3, 5, 2);
  const nn::Bidirectional both = in_float64(nn::Bidirectional(forward, backward));
  const Tensor x = random({6, 2, 3}, 1);
  for (const std::vector<Index>& lengths : {std::vector<Index>{}, std::vector<Index>{6, 4}}) {
    const auto [outputs, state] = both(x, {}, {.lengths = lengths});
    const auto [ahead, last] = nn::Recurrent(forward)(x, {}, {.lengths = lengths});
    const auto [back, first] =
        nn::Recurrent(backward)(x, {}, {.lengths = lengths, .reverse = true});
    REQUIRE(outputs.shape() == Shape{6, 2, 4 + 2});
    expect_close(outputs.value().slice(2, 0, 4), ahead.value(), 0.0);
    expect_close(outputs.value().slice(2, 4, 6), back.value(), 0.0);
    REQUIRE(state.size() == last.size() + first.size());
    for (std::size_t k = 0; k < last.size(); ++k)
      expect_close(state[k].value(), last[k].value(), 0.0);
    for (std::size_t k = 0; k < first.size(); ++k)
      expect_close(state[last.size() + k].value(), first[k].value(), 0.0);
  }
}

TEST_CASE("every output depends on every input, also on later ones, but on none past the end") {
  const nn::Bidirectional both = in_float64(nn::Bidirectional(nn::GRU(2, 3), nn::GRU(2, 3)));
  Tape tape;
  const Variable x = tape.watch(random({4, 1, 2}, 2));
  const Variable outputs = both(x, {}, {.lengths = {3}}).outputs;
  for (Index at = 0; at < 3; ++at) {
    const Variable loss = sum(select(outputs, 0, at));
    const Tensor slopes = tape.gradients(loss, {.retain = true})[x].value();
    for (Index t = 0; t < 4; ++t) CHECK((sum(abs(slopes.select(0, t))).item() > 0.0) == (t < 3));
  }
}

TEST_CASE("a state given is that of the forward cell, then that of the backward cell") {
  const nn::LSTM forward(3, 4);
  const nn::GRU backward(3, 5);
  const nn::Bidirectional both = in_float64(nn::Bidirectional(forward, backward));
  const Tensor x = random({4, 2, 3}, 3);
  const Tensor h = random({2, 4}, 4);
  const Tensor c = random({2, 4}, 5);
  const Tensor back = random({2, 5}, 6);
  const auto [outputs, state] = both(x, {h, c, back});
  const auto one = nn::Recurrent(forward)(x, {h, c}).outputs;
  const auto two = nn::Recurrent(backward)(x, {back}, {.reverse = true}).outputs;
  expect_close(outputs.value(), concat({one, two}).value(), 0.0);
}

TEST_CASE("the gradients of a bidirectional stack agree with finite differences") {
  seed(7);
  nn::Stacked stack(nn::Bidirectional(nn::LSTM(2, 2), nn::GRU(2, 1)),
                    nn::Bidirectional(nn::GRU(3, 1), nn::GRU(3, 1)));
  const std::vector<Index> lengths = {2, 3};
  const auto report = nn::gradcheck(
      stack,
      [&](std::span<const Variable> in) {
        const nn::States states = {{in[1], in[2], in[3]}, {in[3], in[3]}};
        const auto [outputs, last] = stack(in[0], states, {.lengths = lengths});
        return sum(square(outputs)) + sum(last[0][1] * in[1]) + sum(last[1][1]);
      },
      {random({3, 2, 2}, 8), random({2, 2}, 9), random({2, 2}, 10), random({2, 1}, 11)});
  CHECK_MESSAGE(report.passed, report.to_string());
  CHECK(report.checked > 100);
}

TEST_CASE("layers of a stack may run one way or both, and read the lengths alike") {
  const nn::GRU one_way(3, 4);
  const nn::Bidirectional both(nn::GRU(4, 2), nn::LSTM(4, 3));
  const nn::Stacked stack = in_float64(nn::Stacked(one_way, both, nn::Elman(5, 2)));
  const Tensor x = random({5, 3, 3}, 12);
  const std::vector<Index> lengths = {5, 1, 3};
  const auto [outputs, states] = stack(x, {}, {.lengths = lengths});
  REQUIRE(states.size() == 3);
  CHECK(states[0].size() == 1);
  CHECK(states[1].size() == 1 + 2);
  CHECK(outputs.shape() == Shape{5, 3, 2});
  for (Index b = 0; b < 3; ++b) {
    const Index length = lengths[static_cast<std::size_t>(b)];
    const Tensor own = stack(x.slice(1, b, b + 1).slice(0, 0, length)).outputs.value();
    expect_close(outputs.value().slice(1, b, b + 1).slice(0, 0, length), own, 1e-14);
  }
}

TEST_CASE("dropout acts between bidirectional layers, and is off after training") {
  seed(13);
  const nn::Bidirectional layer(nn::GRU(4, 2), nn::GRU(4, 2));
  nn::Stacked stack({.dropout = 0.5, .share = true}, layer, layer);
  const Tensor x = random({6, 3, 4}, 14).to(Dtype::float32);
  const Tensor dropped = stack(x).outputs.value();
  stack.eval();
  const Tensor whole = stack(x).outputs.value();
  CHECK(sum(abs(Variable(dropped) - Variable(whole))).item() > 1e-2);
  expect_close(whole, layer(layer(x).outputs).outputs.value(), 0.0);
}

TEST_CASE("weights are named as in PyTorch, also in a stack") {
  CHECK(names_of(nn::Bidirectional(nn::Elman(2, 3), nn::Elman(2, 3))) ==
        std::vector<std::string>{"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
                                 "weight_ih_l0_reverse", "weight_hh_l0_reverse",
                                 "bias_ih_l0_reverse", "bias_hh_l0_reverse"});
  CHECK(names_of(nn::Bidirectional(nn::GRU(2, 3), nn::GRU(2, 3)).at_layer(4)).back() ==
        "bias_hh_l4_reverse");
  nn::Stacked stack(nn::Bidirectional(nn::GRU(2, 3), nn::GRU(2, 3)));
  stack.push_back(nn::Bidirectional(nn::GRU(6, 3), nn::GRU(6, 3)));
  const std::vector<std::string> names = names_of(stack);
  REQUIRE(names.size() == 16);
  CHECK(names[8] == "weight_ih_l1");
  CHECK(names[15] == "bias_hh_l1_reverse");
}

TEST_CASE("a layer keeps its weights when a stack takes it in") {
  nn::Recurrent layer(nn::GRU(3, 3));
  const nn::Stacked stack(nn::GRU(3, 3), layer);
  CHECK(stack.named_parameters()[4].name == "weight_ih_l1");
  CHECK(stack.named_parameters()[4].parameter == layer.parameters()[0]);
  CHECK(layer.named_parameters()[0].name == "weight_ih_l0");
}

TEST_CASE("a state of another number or size is refused, with what is needed") {
  const nn::Bidirectional both = in_float64(nn::Bidirectional(nn::LSTM(3, 4), nn::GRU(3, 5)));
  const Tensor x = random({4, 2, 3}, 15);
  const Tensor four = random({2, 4}, 16);
  const Tensor five = random({2, 5}, 17);
  expect_error<ShapeError>(
      [&] {
        both(x, {four, four});
      },
      {"bidirectional", "2 tensors", "forward cell keeps 2", "backward", "1"});
  expect_error<ShapeError>([&] { both(x, {five, four, four}); }, {"at 0", "[2,5]", "[2,4]"});
  expect_error<ShapeError>([&] { both(x, {four, four, random({3, 5}, 18)}); }, {"[3,5]", "[2,5]"});
}

TEST_CASE("sequences and lengths that do not fit are refused") {
  const nn::Bidirectional both(nn::GRU(3, 4), nn::GRU(3, 4));
  CHECK(both(zeros({0, 2, 3})).outputs.shape() == Shape{0, 2, 8});
  expect_error<ShapeError>([&] { both(zeros({4, 2, 5})); }, {"[4,2,5]", "[T,B,3]"});
  expect_error<ShapeError>(
      [&] {
        both(zeros({4, 2, 3}), {}, {.lengths = {4}});
      },
      {"1 lengths", "2 sequences"});
  expect_error<ArgumentError>(
      [&] {
        both(zeros({4, 2, 3}), {}, {.lengths = {4, -1}});
      },
      {"sequence 1 is -1", "0..4"});
  const nn::Stacked stack(both);
  expect_error<ArgumentError>(
      [&] {
        stack(zeros({4, 2, 3}), {}, {.lengths = {5, 4}});
      },
      {"sequence 0 is 5", "0..4"});
}

TEST_CASE("cells that read inputs of different sizes are refused") {
  expect_error<ArgumentError>([] { nn::Bidirectional(nn::GRU(3, 4), nn::GRU(2, 4)); },
                              {"bidirectional", "takes 3", "one 2"});
  nn::Stacked stack(nn::Bidirectional(nn::GRU(3, 4), nn::GRU(3, 4)));
  expect_error<ArgumentError>([&] { stack.push_back(nn::GRU(4, 4)); },
                              {"layer 1", "takes 4", "returns 8"});
  expect_error<ArgumentError>(
      [&] { stack.push_back(nn::Bidirectional(nn::GRU(4, 1), nn::GRU(4, 1))); },
      {"layer 1", "takes 4", "returns 8"});
  CHECK(stack.layers().size() == 1);
}

TEST_CASE("outputs of both directions can be added or averaged") {
  using Merge = nn::BidirectionalOptions::Merge;
  const nn::GRU ahead(3, 4);
  const nn::GRU back(3, 4);
  const Tensor x = random({5, 2, 3}, 1).to(Dtype::float32);
  const Variable both = nn::Bidirectional(ahead, back)(x).outputs;
  const Variable sum = slice(both, 2, 0, 4) + slice(both, 2, 4, 8);
  expect_close(nn::Bidirectional(ahead, back, {.merge = Merge::sum})(x).outputs.value(),
               sum.value(), 0.0);
  expect_close(nn::Bidirectional(ahead, back, {.merge = Merge::mean})(x).outputs.value(),
               (0.5 * sum).value(), 0.0);
  expect_error<ArgumentError>(
      [&] { nn::Bidirectional(nn::GRU(3, 4), nn::GRU(3, 5), {.merge = Merge::sum}); },
      {"4", "5", "concatenate"});
  expect_error<ArgumentError>([&] { nn::Bidirectional(ahead, back)(x, {}, {.reverse = true}); },
                              {"bidirectional", "reverse"});
}
