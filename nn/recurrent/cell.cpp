#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell.hpp>

#include <string>

namespace unroll::nn {

void State::throw_index(std::size_t k) const {
  throw ArgumentError("state: tensor " + std::to_string(k) + " was asked for, there are " +
                      std::to_string(values_.size()) +
                      "; a cell has as many as the state sizes it gives its base class");
}

State detach(const State& state) {
  State constants;
  for (const Variable& value : state) constants.push_back(unroll::detach(value));
  return constants;
}

Cell::Cell(Index inputs, std::vector<Index> state_sizes)
    : inputs_(inputs), state_sizes_(std::move(state_sizes)) {
  if (inputs < 1)
    throw ArgumentError("cell: the number of inputs must be at least 1, it is " +
                        std::to_string(inputs));
  if (state_sizes_.empty()) throw ArgumentError("cell: there must be at least one state tensor");
  for (Index size : state_sizes_)
    if (size < 1)
      throw ArgumentError("cell: a state size must be at least 1, it is " + std::to_string(size));
}

State Cell::initial_state(Index batch, Dtype dtype) const {
  State state;
  for (Index size : state_sizes_) state.push_back(zeros({batch, size}, dtype));
  return state;
}

State Cell::force(const State&, const Variable&) const {
  throw ArgumentError(
      "recurrent: targets were given, but this cell does not feed its output back, so there is "
      "nothing to force; leave the targets out, or use a cell that overrides force()");
}

}  // namespace unroll::nn
