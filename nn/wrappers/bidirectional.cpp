#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/wrappers/bidirectional.hpp>
#include <nn/wrappers/shared.hpp>

#include <string>
#include <utility>

namespace unroll::nn {

using Merge = BidirectionalOptions::Merge;

Bidirectional::Bidirectional(const Recurrent& forward, const Recurrent& backward,
                             const BidirectionalOptions& options)
    : options_(options), forward_(add("", forward)), backward_(add("", backward, "_reverse")) {
  if (forward.cell().inputs() != backward.cell().inputs())
    throw ArgumentError(
        "bidirectional: both cells read the same sequence, but the forward one takes " +
        std::to_string(forward.cell().inputs()) + " inputs and the backward one " +
        std::to_string(backward.cell().inputs()));
  if (options_.merge != Merge::concat && forward.cell().outputs() != backward.cell().outputs())
    throw ArgumentError("bidirectional: outputs are to be added, but the forward cell has " +
                        std::to_string(forward.cell().outputs()) + " and the backward one " +
                        std::to_string(backward.cell().outputs()) + "; concatenate them instead");
  if (!options_.share) check_apart("bidirectional", forward, backward);
}

Index Bidirectional::outputs() const {
  const Index ahead = forward_.cell().outputs();
  return options_.merge == Merge::concat ? ahead + backward_.cell().outputs() : ahead;
}

Sequence Bidirectional::operator()(const Variable& x, const State& state,
                                   const UnrollOptions& options) const {
  const Scope inside = scope();
  if (options.targets.defined() || options.reverse)
    throw ArgumentError(
        "bidirectional: it reads the sequence from both ends, so there is nothing that targets "
        "could force, nor a reverse; leave them out");
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

  UnrollOptions reversed = options;
  reversed.reverse = true;
  auto [ahead, last] = forward_(x, forward_state, options);
  const auto [back, earliest] = backward_(x, backward_state, reversed);
  for (const Variable& value : earliest) last.push_back(value);
  if (options_.merge == Merge::concat) return {concat({ahead, back}), std::move(last)};
  const Variable sum = ahead + back;
  return {options_.merge == Merge::sum ? sum : 0.5 * sum, std::move(last)};
}

}  // namespace unroll::nn
