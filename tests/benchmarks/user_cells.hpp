#pragma once

#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <utility>

/// LSTM cells as a user of the library would write them.
namespace benchmarks {

/// The gates in one lambda.
class PointwiseLstm : public unroll::nn::Cell {
 public:
  PointwiseLstm(unroll::Index inputs, unroll::Index hidden)
      : Cell(inputs, {hidden, hidden}),
        input_(add("input", unroll::nn::Linear(inputs, 4 * hidden))),
        hidden_(add("hidden", unroll::nn::Linear(hidden, 4 * hidden, {.bias = false}))) {}

  unroll::Variable project(const unroll::Variable& x) const override { return input_(x); }

  unroll::nn::Step step(const unroll::Variable& x, const unroll::nn::State& state) const override {
    auto [i, f, g, o] = unroll::split<4>(linear(state[0], hidden_.weight(), x));
    auto [h, c] = unroll::pointwise(kGates, i, f, g, o, state[1]);
    return {h, c};
  }

 private:
  static constexpr auto kGates = [](auto i, auto f, auto g, auto o, auto c) {
    auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
    return std::pair{sigmoid(o) * tanh(next), next};
  };

  unroll::nn::Linear input_, hidden_;
};

/// One operation after the other, as the equations stand in a paper.
class PlainLstm : public unroll::nn::Cell {
 public:
  PlainLstm(unroll::Index inputs, unroll::Index hidden)
      : Cell(inputs, {hidden, hidden}),
        input_(add("input", unroll::nn::Linear(inputs, 4 * hidden))),
        hidden_(add("hidden", unroll::nn::Linear(hidden, 4 * hidden, {.bias = false}))) {}

  unroll::Variable project(const unroll::Variable& x) const override { return input_(x); }

  unroll::nn::Step step(const unroll::Variable& x, const unroll::nn::State& state) const override {
    auto [i, f, g, o] = unroll::split<4>(x + hidden_(state[0]));
    unroll::Variable c = sigmoid(f) * state[1] + sigmoid(i) * tanh(g);
    unroll::Variable h = sigmoid(o) * tanh(c);
    return {h, c};
  }

 private:
  unroll::nn::Linear input_, hidden_;
};

}  // namespace benchmarks
