#include <autograd/tensor/error.hpp>
#include <nn/cells/jordan_1986.hpp>

#include <string>

namespace unroll::nn {

Jordan1986::Jordan1986(Index plan, Index hidden, Index outputs, const Jordan1986Options& options)
    : Cell(plan, {outputs, outputs}),
      activation_(options.activation),
      output_activation_(options.output_activation),
      decay_(options.decay),
      plan_(add("plan", Linear(plan, hidden))),
      state_(add("state", Linear(outputs, hidden, {.bias = false}))),
      readout_(add("readout", Linear(hidden, outputs))) {
  if (!(decay_ >= 0.0 && decay_ < 1.0))
    throw ArgumentError("jordan1986: the decay must be at least 0 and below 1, it is " +
                        std::to_string(decay_) + "; at 1 and above the state units never forget");
}

Variable Jordan1986::project(const Variable& x) const { return plan_(x); }

Step Jordan1986::step(const Variable& x, const State& state) const {
  const Variable s = decay_ * state[1] + state[0];
  const Variable a = activation_(linear(s, state_.weight(), x));
  return {output_activation_(readout_(a)), s};
}

State Jordan1986::force(const State& state, const Variable& target) const {
  return {target, state[1]};
}

}  // namespace unroll::nn
