#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_checks.hpp>

#include <string>
#include <vector>

namespace unroll::nn {

void check_state(const char* name, const char* what, const Cell& cell, const State& state,
                 Index batch) {
  const std::vector<Index>& sizes = cell.state_sizes();
  if (state.size() != sizes.size())
    throw ShapeError(std::string(name) + ": " + what + " has " + std::to_string(state.size()) +
                     " tensors, the cell keeps " + std::to_string(sizes.size()) +
                     "; all parts of a state are carried together");
  for (std::size_t k = 0; k < sizes.size(); ++k)
    if (!state[k].defined() || state[k].shape() != Shape{batch, sizes[k]})
      throw ShapeError(std::string(name) + ": " + what + " has at " + std::to_string(k) + ' ' +
                       describe(state[k].value()) + ", this cell and a batch of " +
                       std::to_string(batch) + " need " + to_string(Shape{batch, sizes[k]}) +
                       "; a state belongs to the cell and the sequences it was computed from");
}

Variable project(const char* name, const Cell& cell, const Variable& x) {
  Variable projected = cell.project(x);
  if (!projected.defined() || projected.rank() < 1 || projected.size(0) != x.size(0))
    throw ShapeError(std::string(name) + ": project made " + describe(projected.value()) +
                     " of x " + to_string(x.shape()) + "; the first axis must stay the time");
  return projected;
}

void check_constant(const char* name, const State& state) {
  for (const Variable& value : state)
    if (value.recorded())
      throw TapeError(std::string(name) +
                      ": the state given was recorded on a tape, where it cannot be followed from "
                      "here; carry a state from sequence to sequence with detach()");
}

}  // namespace unroll::nn
