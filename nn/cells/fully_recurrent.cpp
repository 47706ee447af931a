#include <nn/cells/fully_recurrent.hpp>

namespace unroll::nn {

FullyRecurrent::FullyRecurrent(Index inputs, Index hidden, const FullyRecurrentOptions& options)
    : Cell(inputs, {hidden}),
      activation_(options.activation),
      input_(add("input", Linear(inputs, hidden, {.bias = options.bias}))),
      recurrent_(add("recurrent", Linear(hidden, hidden, {.bias = false}))) {}

Variable FullyRecurrent::project(const Variable& x) const { return input_(x); }

Step FullyRecurrent::step(const Variable& x, const State& state) const {
  return {activation_(linear(state[0], recurrent_.weight(), x))};
}

}  // namespace unroll::nn
