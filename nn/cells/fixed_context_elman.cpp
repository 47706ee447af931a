#include <nn/cells/fixed_context_elman.hpp>

namespace unroll::nn {

FixedContextElman::FixedContextElman(Index inputs, Index hidden,
                                     const FixedContextElmanOptions& options)
    : Cell(inputs, {hidden}),
      activation_(options.activation),
      input_(add("input", Linear(inputs, hidden, {.bias = options.bias}))) {}

Variable FixedContextElman::project(const Variable& x) const { return input_(x); }

Step FixedContextElman::step(const Variable& x, const State& state) const {
  return {activation_(x + state[0])};
}

}  // namespace unroll::nn
