#include <autograd/error.hpp>
#include <autograd/ops/layout.hpp>
#include <nn/recurrent.hpp>

#include <string>

namespace unroll::nn {
namespace {

void check_input(const Cell& cell, const Variable& x) {
  if (!x.defined() || x.rank() != 3 || x.size(2) != cell.inputs() || x.size(0) < 1 || x.size(1) < 1)
    throw ShapeError("recurrent: x is " + describe(x.value()) + ", the cell takes [T,B," +
                     std::to_string(cell.inputs()) + "] with T and B at least 1");
}

void check_state(const Cell& cell, const State& state, Index batch, const char* what) {
  const auto& sizes = cell.state_sizes();
  if (state.size() != sizes.size())
    throw ShapeError(std::string("recurrent: ") + what + " has " + std::to_string(state.size()) +
                     " tensors, the cell keeps " + std::to_string(sizes.size()));
  for (std::size_t k = 0; k < sizes.size(); ++k)
    if (state[k].shape() != Shape{batch, sizes[k]})
      throw ShapeError(std::string("recurrent: ") + what + " has at " + std::to_string(k) +
                       " the shape " + to_string(state[k].shape()) + ", this cell and a batch of " +
                       std::to_string(batch) + " need " + to_string(Shape{batch, sizes[k]}));
}

/// The number of steps that are forced.
Index check_targets(const Cell& cell, const Variable& x, const Variable& targets) {
  if (!targets.defined()) return 0;
  if (targets.rank() != 3 || targets.size(0) > x.size(0) || targets.size(1) != x.size(1) ||
      targets.size(2) != cell.outputs())
    throw ShapeError("recurrent: the targets are " + describe(targets.value()) + ", for x " +
                     to_string(x.shape()) + " and this cell they must be [F," +
                     std::to_string(x.size(1)) + "," + std::to_string(cell.outputs()) +
                     "] with F at most " + std::to_string(x.size(0)));
  return targets.size(0);
}

}  // namespace

Sequence Recurrent::operator()(const Variable& x, const State& state,
                               const UnrollOptions& options) const {
  check_input(*cell_, x);
  const Index forced = check_targets(*cell_, x, options.targets);
  const Index batch = x.size(1);
  State current = state.empty() ? cell_->initial_state(batch, x.dtype()) : state;
  check_state(*cell_, current, batch,
              state.empty() ? "what initial_state returned" : "the state given");

  const Variable projected = cell_->project(x);
  if (!projected.defined() || projected.rank() < 1 || projected.size(0) != x.size(0))
    throw ShapeError("recurrent: project made " + describe(projected.value()) + " of x " +
                     to_string(x.shape()) + "; the first axis must stay the time");
  PooledVector<Variable> outputs;
  outputs.reserve(static_cast<std::size_t>(x.size(0)));
  for (Index t = 0; t < x.size(0); ++t) {
    current = cell_->step(select(projected, 0, t), current);
    check_state(*cell_, current, batch, "what step returned");
    outputs.push_back(cell_->output(current));
    if (t >= forced) continue;
    current = cell_->force(current, select(options.targets, 0, t));
    check_state(*cell_, current, batch, "what force returned");
  }
  return {stack(outputs), std::move(current)};
}

}  // namespace unroll::nn
