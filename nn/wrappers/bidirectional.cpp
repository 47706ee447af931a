#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/wrappers/bidirectional.hpp>

#include <string>

namespace unroll::nn {

Bidirectional::Bidirectional(const Recurrent& forward, const Recurrent& backward)
    : forward_(add("", forward)), backward_(add("", backward, "_reverse")) {
  if (forward.cell().inputs() != backward.cell().inputs())
    throw ArgumentError(
        "bidirectional: both cells read the same sequence, but the forward one takes " +
        std::to_string(forward.cell().inputs()) + " inputs and the backward one " +
        std::to_string(backward.cell().inputs()));
}

Sequence Bidirectional::operator()(const Variable& x, const State& state,
                                   const std::vector<Index>& lengths) const {
  const Scope inside = scope();
  const std::size_t first = forward_.cell().state_sizes().size();
  const std::size_t second = backward_.cell().state_sizes().size();
  if (!state.empty() && state.size() != first + second)
    throw ShapeError("bidirectional: the state has " + std::to_string(state.size()) +
                     " tensors, the forward cell keeps " + std::to_string(first) +
                     " and the backward cell " + std::to_string(second));
  State forward_state;
  State backward_state;
  for (std::size_t k = 0; k < state.size(); ++k)
    (k < first ? forward_state : backward_state).push_back(state[k]);

  auto [ahead, last] = forward_(x, forward_state, {.lengths = lengths});
  const auto [back, earliest] = backward_(x, backward_state, {.lengths = lengths, .reverse = true});
  for (const Variable& value : earliest) last.push_back(value);
  return {concat({ahead, back}), std::move(last)};
}

}  // namespace unroll::nn
