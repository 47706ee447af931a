#include <nn/cells/jordan.hpp>

namespace unroll::nn {

Jordan::Jordan(Index inputs, Index hidden, Index outputs, const JordanOptions& options)
    : Cell(inputs, {outputs}),
      activation_(options.activation),
      output_activation_(options.output_activation),
      input_(add("input", Linear(inputs, hidden, {.bias = options.bias}))),
      feedback_(add("feedback", Linear(outputs, hidden, {.bias = false}))),
      readout_(add("readout", Linear(hidden, outputs, {.bias = options.bias}))) {}

Variable Jordan::project(const Variable& x) const { return input_(x); }

Step Jordan::step(const Variable& x, const State& state) const {
  const Variable a = activation_(linear(state[0], feedback_.weight(), x));
  return {output_activation_(readout_(a))};
}

State Jordan::force(const State&, const Variable& target) const { return {target}; }

}  // namespace unroll::nn
