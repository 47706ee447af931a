#include <autograd/derivatives/checkpoint.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/lengths.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/stack_builder.hpp>
#include <autograd/tape/access.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/recurrent/recurrent.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {
namespace {

void check_input(const Cell& cell, const Variable& x) {
  if (!x.defined() || x.rank() != 3 || x.size(2) != cell.inputs() || x.size(1) < 1)
    throw ShapeError("recurrent: x is " + describe(x.value()) + ", the cell takes [T,B," +
                     std::to_string(cell.inputs()) + "] with B at least 1");
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

/// `mask: [B,1]` with as many axes of size 1 as broadcast along a state `[B,...]`.
Tensor beside(const Tensor& mask, const Variable& state) {
  Shape shape(state.rank(), 1);
  shape[0] = mask.shape()[0];
  return state.rank() == 2 ? mask : mask.reshape(shape);
}

/// Where the sequences of a batch end, and what that does to values. Does nothing for sequences of
/// full length.
class Ends {
 public:
  Ends(const Variable& x, const std::vector<Index>& lengths) : common_(x.size(0)) {
    if (lengths.empty()) return;
    unroll::detail::check_lengths("recurrent", {"x", x}, lengths);
    common_ = *std::min_element(lengths.begin(), lengths.end());
    if (common_ == x.size(0)) return;
    lengths_ = lengths;
    running_ = unroll::detail::running_steps(x.size(0), lengths, x.dtype()).unsqueeze(-1);
  }

  /// `sequence: [T,B,N]` with zeros past the ends.
  Variable clear(const Variable& sequence) const {
    return running_.defined() ? where(running_, sequence, 0.0) : sequence;
  }
  /// `marks: [T,B,1]` without those past the ends.
  Tensor clear(const Tensor& marks) const {
    return running_.defined() ? mask_and(marks, running_) : marks;
  }

  /// How many of the steps first .. first + count each sequence has; empty for all.
  std::vector<Index> lengths(Index first, Index count) const {
    std::vector<Index> within;
    for (const Index length : lengths_)
      within.push_back(std::clamp<Index>(length - first, 0, count));
    return within;
  }

  /// The state after step t, which is the one before it where a sequence does not have that step.
  State hold(Index t, State after, const State& before) const {
    if (t < common_) return after;
    const Tensor running = running_.select(0, t);
    for (std::size_t k = 0; k < after.size(); ++k)
      after[k] = where(beside(running, after[k]), after[k], before[k]);
    return after;
  }

 private:
  std::vector<Index> lengths_;  // empty when all are full
  Index common_;                // steps that every sequence has
  Tensor running_;  // [T,B,1]: 1 up to the end of a sequence, then 0; undefined when there are none
};

/// Where new sequences begin inside the rows of a batch.
class Resets {
 public:
  Resets(const Variable& x, const Tensor& begins, const Ends& ends) {
    if (!begins.defined()) return;
    if (begins.shape() != Shape{x.size(0), x.size(1)})
      throw ShapeError("recurrent: resets are " + describe(begins) + ", for x " +
                       to_string(x.shape()) + " they must be [T,B], " +
                       to_string(Shape{x.size(0), x.size(1)}));
    begins_ = ends.clear(ne(begins, 0.0).to(x.dtype()).unsqueeze(-1));
    any_ = any_true(begins_, {1, 2}).to(Dtype::float64).to_vector<double>();
  }

  bool empty() const { return any_.empty(); }

  /// `[count,B]`: where sequences begin from step `first` on; undefined when there are none.
  Tensor within(Index first, Index count) const {
    return empty() ? Tensor() : begins_.select(2, 0).slice(0, first, first + count);
  }

  /// The state that step t reads: `start` where it begins a sequence or, in reverse, where it is
  /// the last of one.
  State apply(Index t, bool reverse, State state, const State& start) const {
    const auto begin = static_cast<std::size_t>(reverse ? t + 1 : t);
    if (begin >= any_.size() || any_[begin] == 0.0) return state;
    const Tensor here = begins_.select(0, static_cast<Index>(begin));
    for (std::size_t k = 0; k < state.size(); ++k)
      state[k] = where(beside(here, state[k]), start[k], state[k]);
    return state;
  }

 private:
  Tensor begins_;            // [T,B,1]
  std::vector<double> any_;  // by step, 1 where there is one
};

/// The number of steps that project() gets at a time. So many rows are one large product, and what
/// comes of them is still in the caches when the steps read it; a whole sequence would not be, and
/// would take its memory twice, for the values and for their gradient.
Index projected_steps(Index steps, Index batch) {
  constexpr Index kRows = 256;
  const Index parts = std::clamp<Index>((steps * batch + kRows / 2) / kRows, 1, steps);
  return (steps + parts - 1) / parts;
}

bool is_same(const Variable& a, const Variable& b) {
  return a.value().address() == b.value().address() && a.shape() == b.shape() &&
         a.value().strides() == b.value().strides() &&
         extension::TapeAccess::id(a) == extension::TapeAccess::id(b) &&
         extension::TapeAccess::slot(a) == extension::TapeAccess::slot(b) &&
         extension::TapeAccess::offset(a) == extension::TapeAccess::offset(b);
}

/// How a call of Recurrent runs the steps of a sequence, or of a segment of it.
struct Unrolling {
  AnyCell cell;
  Ends ends;
  Resets resets;
  Index forced;  // steps from the first on that have targets
  bool reverse;
  bool stepwise;

  /// `sequence: [S,B,I]` are the steps from `first` on, `targets` those of them that are forced;
  /// `start` is the state of a step that a reset lets begin anew.
  Sequence operator()(const Variable& sequence, State current, const State& start,
                      const Variable& targets, Index first) const {
    const Index batch = sequence.size(1);
    const Index steps = sequence.size(0);
    // In reverse the boundary behind the last step lies outside these steps.
    if (reverse) current = resets.apply(first + steps - 1, true, std::move(current), start);
    if (!stepwise && forced == 0)
      if (auto all = cell->run(sequence, current, options(start, first, steps)))
        return checked(std::move(*all), steps, batch);
    const Index at_a_time = projected_steps(steps, batch);
    // What cannot be seen in parts is copied once, not for each part.
    const bool is_copied =
        at_a_time < steps && sequence.recorded() && !extension::TapeAccess::can_view(sequence);
    const Variable x = is_copied ? clone(sequence) : sequence;
    detail::StackBuilder outputs(steps);
    Variable projected;
    Index begin = 0;  // of the steps projected
    for (Index k = 0; k < steps; ++k) {
      const Index t = reverse ? steps - 1 - k : k;
      if (k % at_a_time == 0) {
        begin = reverse ? std::max<Index>(t + 1 - at_a_time, 0) : t;
        const Index end = std::min(begin + at_a_time, reverse ? t + 1 : steps);
        projected = {};
        projected = project("recurrent", *cell, end - begin == steps ? x : slice(x, 0, begin, end));
      }
      const Scope step = Scope::time_step(first + t);
      current = resets.apply(first + t, reverse, std::move(current), start);
      auto [output, next] = nn::step("recurrent", *cell, select(projected, 0, t - begin), current);
      const Variable placed = outputs.put(t, output);
      if (k + 1 < steps)
        for (Variable& part : next)
          if (is_same(part, output)) part = placed;
      if (first + t < forced) {
        next = cell->force(next, select(targets, 0, t));
        check_state("recurrent", "what force returned", *cell, next, batch);
      }
      current = ends.hold(first + t, std::move(next), current);
    }
    return {outputs.finish(), std::move(current)};
  }

 private:
  RunOptions options(const State& start, Index first, Index steps) const {
    RunOptions how{.reverse = reverse,
                   .lengths = ends.lengths(first, steps),
                   .resets = resets.within(first, steps)};
    if (how.resets.defined()) how.start = start;
    return how;
  }

  Sequence checked(Sequence all, Index steps, Index batch) const {
    check_state("recurrent", "what run returned", *cell, all.state, batch);
    const Shape expected{steps, batch, cell->outputs()};
    if (!all.outputs.defined() || all.outputs.shape() != expected)
      throw ShapeError("recurrent: the outputs of run are " + describe(all.outputs.value()) +
                       ", this cell needs " + to_string(expected) + " (class " + class_name(*cell) +
                       ")");
    return all;
  }
};

/// The number of steps of a segment, so that what they save and the states between segments take
/// at most `budget` bytes, or as little as they can.
Index segment_length(const Unrolling& unrolling, const Variable& x, const State& state,
                     const Variable& targets, const Call& call, std::size_t budget) {
  constexpr Index kTried = 8;
  const Index steps = x.size(0);
  const Index tried = std::min(kTried, steps);
  double step_bytes = 0.0;
  {
    const GeneratorScope drawing(default_generator());
    const std::size_t held = memory::statistics().bytes_in_use;
    Tape tape;
    extension::TapeAccess::observe(
        tape, nullptr);  // a trial is no part of the program that tools look at
    State start;
    for (const Variable& part : state) start.push_back(detach(part));
    const Variable forced = targets.defined() ? detach(targets) : Variable();
    Unrolling apart = unrolling;  // what the cell does to itself is undone too
    apart.cell = unrolling.cell.snapshot();
    const Substitution inside = call.detached().enter();
    const Sequence trial = apart(slice(detach(x), 0, 0, tried), start, start, forced, 0);
    step_bytes =
        static_cast<double>(memory::statistics().bytes_in_use - held) / static_cast<double>(tried);
  }
  double state_bytes = 0.0;
  for (const Variable& part : state)
    state_bytes +=
        static_cast<double>(part.value().size()) * static_cast<double>(size_of(part.dtype()));
  const auto all = static_cast<double>(steps);
  if (all * step_bytes <= static_cast<double>(budget)) return steps;
  // The sum of both is least at this length; longer segments keep fewer states.
  const double least = std::ceil(std::sqrt(all * state_bytes / step_bytes));
  const double longest = (static_cast<double>(budget) - all / least * state_bytes) / step_bytes;
  return static_cast<Index>(std::min(all, std::max(least, longest)));
}

}  // namespace

Sequence Recurrent::operator()(const Variable& x, const State& state,
                               const UnrollOptions& options) const {
  const Scope inside = scope(), layer = cell_->scope();
  check_input(*cell_, x);
  const Index forced = check_targets(*cell_, x, options.targets);
  if (forced > 0 && options.reverse)
    throw ArgumentError(
        "recurrent: targets were given together with reverse, but a step reads the target of the "
        "step before it in time; leave one of the two out");
  const Ends ends(x, options.lengths);
  const Unrolling unrolling{cell_,           ends,     Resets(x, options.resets, ends), forced,
                            options.reverse, stepwise_};
  const Index steps = x.size(0);
  const Index batch = x.size(1);
  const Call call = prepared(*cell_, batch, x.dtype(), options.draws);
  const Substitution inside_call = call.enter();
  const bool needs_start = state.empty() || !unrolling.resets.empty();
  const State start = needs_start ? cell_->initial_state(batch, x.dtype()) : State();
  if (needs_start) check_state("recurrent", "what initial_state returned", *cell_, start, batch);
  State current = state.empty() ? start : state;
  if (!state.empty()) check_state("recurrent", "the state given", *cell_, current, batch);
  if (steps == 0) return {zeros({0, batch, cell_->outputs()}, x.dtype()), std::move(current)};
  const Variable cleared = unrolling.ends.clear(x);

  const bool limited = budget_ != std::numeric_limits<std::size_t>::max() && Tape::active();
  const Index length =
      limited ? segment_length(unrolling, cleared, current, options.targets, call, budget_) : steps;
  if (length == steps) {
    auto [outputs, last] = unrolling(cleared, std::move(current), start, options.targets, 0);
    return {unrolling.ends.clear(outputs), std::move(last)};
  }

  const Index count = (steps + length - 1) / length;
  memory::Vector<Variable> outputs(static_cast<std::size_t>(count));
  for (Index k = 0; k < count; ++k) {
    const Index segment = options.reverse ? count - 1 - k : k;
    const Index first = segment * length;
    const Index end = std::min(steps, first + length);
    std::vector<Variable> inputs{slice(cleared, 0, first, end)};
    for (const Variable& part : current) inputs.push_back(part);
    const std::size_t parts = current.size();
    const std::size_t starts = unrolling.resets.empty() ? 0 : parts;
    for (std::size_t i = 0; i < starts; ++i) inputs.push_back(start[i]);
    for (const Variable& value : call.values()) inputs.push_back(value);
    const std::size_t own = inputs.size();
    if (first < forced) inputs.push_back(slice(options.targets, 0, first, std::min(end, forced)));
    // Run again, a segment begins with the cell as it was then.
    const auto results = checkpoint(
        [unrolling, parts, starts, own, first, call, as_it_was = unrolling.cell.snapshot(),
         is_first = std::make_shared<bool>(true)](std::span<const Variable> in) {
          Unrolling run = unrolling;
          if (!std::exchange(*is_first, false)) run.cell = as_it_was.snapshot();
          const Substitution values = call.with(in.subspan(1 + parts + starts)).enter();
          State before, anew;
          for (std::size_t i = 0; i < parts; ++i) before.push_back(in[1 + i]);
          for (std::size_t i = 0; i < starts; ++i) anew.push_back(in[1 + parts + i]);
          const Variable targets = in.size() > own ? in.back() : Variable();
          auto [outputs_of_part, after] = run(in[0], std::move(before), anew, targets, first);
          std::vector<Variable> all{std::move(outputs_of_part)};
          for (const Variable& part : after) all.push_back(part);
          return all;
        },
        inputs);
    outputs[static_cast<std::size_t>(segment)] = results[0];
    for (std::size_t i = 0; i < parts; ++i) current[i] = results[1 + i];
  }
  return {unrolling.ends.clear(concat(outputs, 0)), std::move(current)};
}

}  // namespace unroll::nn
