#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/clockwork.hpp>
#include <nn/init.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace unroll::nn {
namespace {

std::string to_string(const std::vector<Index>& values) {
  std::string text;
  for (const Index value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "{" + text + "}";
}

/// The least common multiple of the periods, when they make sense.
Index checked_cycle(Index hidden, const std::vector<Index>& periods) {
  constexpr Index kCountable = Index{1} << 24;  // whole numbers below it are exact in float32
  const auto refuse = [&](const std::string& why) {
    throw ArgumentError("ClockworkRNN: periods are " + to_string(periods) + "; " + why);
  };
  if (periods.empty()) refuse("there must be one for each group, at least one");
  const Index groups = static_cast<Index>(periods.size());
  if (hidden % groups != 0)
    refuse("their number, " + std::to_string(groups) + ", must divide hidden, which is " +
           std::to_string(hidden));
  Index cycle = 1, previous = 0;
  for (const Index period : periods) {
    if (period <= previous) refuse("they must be at least 1 and increase from group to group");
    previous = period;
    const Index factor = period / std::gcd(cycle, period);
    if (factor > (kCountable - 1) / cycle)
      refuse("their least common multiple must be below 2^24; powers of 2 keep it small");
    cycle *= factor;
  }
  return cycle;
}

/// The steps of the sequences, from their clocks `[B,1]`.
std::vector<Index> read_clock(const Variable& clock, Index cycle) {
  std::vector<Index> steps;
  for (const double value : clock.value().to_vector<double>()) {
    const Index step = std::llround(value) % cycle;
    steps.push_back(step < 0 ? step + cycle : step);
  }
  return steps;
}

/// `[B,1]` of f(step of the sequence).
template <class F>
Tensor for_each_sequence(const std::vector<Index>& steps, Dtype dtype, F f) {
  std::vector<double> values;
  values.reserve(steps.size());
  for (const Index step : steps) values.push_back(f(step));
  return Tensor::of({static_cast<Index>(steps.size()), 1}, values).to(dtype);
}

}  // namespace

ClockworkRNN::ClockworkRNN(Index inputs, Index hidden, const ClockworkRNNOptions& options)
    : Cell(inputs, {hidden, 1}),
      periods_(options.periods),
      cycle_(checked_cycle(hidden, periods_)),
      activation_(options.activation),
      weight_ih_(parameter("weight_ih", init::pytorch_default({hidden, inputs}, hidden))),
      bias_(parameter("bias", init::pytorch_default({hidden}, hidden))) {
  const Index groups = static_cast<Index>(periods_.size());
  const Index size = hidden / groups;
  for (Index g = 0; g < groups; ++g)
    weights_hh_.push_back(parameter("weight_hh_" + std::to_string(g + 1),
                                    init::pytorch_default({size, hidden - g * size}, hidden)));
}

Variable ClockworkRNN::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step ClockworkRNN::step(const Variable& x, const State& state) const {
  const Variable& h = state[0];
  const Index hidden = h.size(1);
  const Index size = hidden / static_cast<Index>(periods_.size());
  const std::vector<Index> steps = read_clock(state[1], cycle_);

  std::vector<Variable> parts;
  Index done = 0;  // units that are in parts
  const auto keep_until = [&](Index unit) {
    if (done < unit) parts.push_back(slice(h, -1, done, unit));
    done = unit;
  };
  for (std::size_t g = 0; g < periods_.size(); ++g) {
    const auto is_due = [period = periods_[g]](Index step) { return step % period == 0; };
    const auto due = std::count_if(steps.begin(), steps.end(), is_due);
    if (due == 0) continue;
    const Index first = static_cast<Index>(g) * size;
    keep_until(first);
    Variable updated = activation_(
        linear(slice(h, -1, first, hidden), weights_hh_[g], slice(x, -1, first, first + size)));
    if (due < h.size(0)) {
      const Tensor mask =
          for_each_sequence(steps, x.dtype(), [&](Index step) { return is_due(step) ? 1.0 : 0.0; });
      updated = where(mask, updated, slice(h, -1, first, first + size));
    }
    parts.push_back(updated);
    done = first + size;
  }
  keep_until(hidden);
  const Tensor clock = for_each_sequence(
      steps, x.dtype(), [this](Index step) { return static_cast<double>((step + 1) % cycle_); });
  return {parts.size() == 1 ? parts[0] : concat(parts), clock};
}

}  // namespace unroll::nn
