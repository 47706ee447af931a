#include <nn/cells/output_to_hidden.hpp>

namespace unroll::nn {

OutputToHidden::OutputToHidden(Index inputs, Index hidden, Index outputs,
                               const OutputToHiddenOptions& options)
    : Cell(inputs, {outputs, outputs}),
      activation_(options.activation),
      feedback_activation_(options.feedback),
      input_(add("input", Linear(inputs, hidden))),
      feedback_(add("feedback", Linear(outputs, hidden, {.bias = false}))),
      readout_(add("readout", Linear(hidden, outputs))) {}

Variable OutputToHidden::project(const Variable& x) const { return input_(x); }

Step OutputToHidden::step(const Variable& x, const State& state) const {
  const Variable o = readout_(activation_(linear(state[1], feedback_.weight(), x)));
  return {o, feedback_activation_(o)};
}

State OutputToHidden::force(const State& state, const Variable& target) const {
  return {state[0], target};
}

}  // namespace unroll::nn
