#include <autograd/error.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <nn/recurrent.hpp>

#include <algorithm>
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

void check_lengths(const Variable& x, const std::vector<Index>& lengths) {
  const std::string what = "recurrent: ";
  if (static_cast<Index>(lengths.size()) != x.size(1))
    throw ShapeError(what + std::to_string(lengths.size()) + " lengths were given with x " +
                     to_string(x.shape()) + "; each of the " + std::to_string(x.size(1)) +
                     " sequences needs one");
  for (std::size_t b = 0; b < lengths.size(); ++b)
    if (lengths[b] < 1 || lengths[b] > x.size(0))
      throw ArgumentError(what + "the length of sequence " + std::to_string(b) + " is " +
                          std::to_string(lengths[b]) + "; with x " + to_string(x.shape()) +
                          " it must lie in 1.." + std::to_string(x.size(0)));
}

/// Where the sequences of a batch end, and what that does to values. Does nothing for sequences of
/// full length.
class Ends {
 public:
  Ends(const Variable& x, const std::vector<Index>& lengths) : common_(x.size(0)) {
    if (lengths.empty()) return;
    check_lengths(x, lengths);
    common_ = *std::min_element(lengths.begin(), lengths.end());
    if (common_ == x.size(0)) return;
    running_ = zeros({x.size(0), x.size(1), 1}, x.dtype());
    for (Index b = 0; b < x.size(1); ++b) {
      Tensor steps = running_.select(1, b).slice(0, 0, lengths[static_cast<std::size_t>(b)]);
      kernels::fill(steps, 1.0);
    }
  }

  /// `sequence: [T,B,N]` with zeros past the ends.
  Variable clear(const Variable& sequence) const {
    return running_.defined() ? where(running_, sequence, zeros({}, sequence.dtype())) : sequence;
  }

  /// The state after step t, which is the one before it where a sequence does not have that step.
  State hold(Index t, State after, const State& before) const {
    if (t < common_) return after;
    const Tensor running = running_.select(0, t);
    for (std::size_t k = 0; k < after.size(); ++k) after[k] = where(running, after[k], before[k]);
    return after;
  }

 private:
  Index common_;    // steps that every sequence has
  Tensor running_;  // [T,B,1]: 1 up to the end of a sequence, then 0; undefined when there are none
};

}  // namespace

Sequence Recurrent::operator()(const Variable& x, const State& state,
                               const UnrollOptions& options) const {
  check_input(*cell_, x);
  const Index forced = check_targets(*cell_, x, options.targets);
  if (forced > 0 && options.reverse)
    throw ArgumentError(
        "recurrent: targets were given together with reverse, but a step reads the target of the "
        "step before it in time; leave one of the two out");
  const Ends ends(x, options.lengths);
  const Index steps = x.size(0);
  const Index batch = x.size(1);
  State current = state.empty() ? cell_->initial_state(batch, x.dtype()) : state;
  check_state(*cell_, current, batch,
              state.empty() ? "what initial_state returned" : "the state given");

  const Variable projected = cell_->project(ends.clear(x));
  if (!projected.defined() || projected.rank() < 1 || projected.size(0) != x.size(0))
    throw ShapeError("recurrent: project made " + describe(projected.value()) + " of x " +
                     to_string(x.shape()) + "; the first axis must stay the time");
  PooledVector<Variable> outputs(static_cast<std::size_t>(steps));
  for (Index k = 0; k < steps; ++k) {
    const Index t = options.reverse ? steps - 1 - k : k;
    State next = cell_->step(select(projected, 0, t), current);
    check_state(*cell_, next, batch, "what step returned");
    outputs[static_cast<std::size_t>(t)] = cell_->output(next);
    if (t < forced) {
      next = cell_->force(next, select(options.targets, 0, t));
      check_state(*cell_, next, batch, "what force returned");
    }
    current = ends.hold(t, std::move(next), current);
  }
  return {ends.clear(stack(outputs)), std::move(current)};
}

}  // namespace unroll::nn
