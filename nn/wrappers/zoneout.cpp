#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/wrappers/zoneout.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace unroll::nn {

Zoneout::Zoneout(AnyCell cell, const std::vector<double>& rates)
    : CellWrapper(std::move(cell)), rates_(rates) {
  if (rates_.size() != state_shapes().size())
    throw ArgumentError("Zoneout: there are " + std::to_string(rates_.size()) +
                        " rates, the cell has " + std::to_string(state_shapes().size()) +
                        " state tensors");
  for (std::size_t k = 0; k < rates_.size(); ++k) {
    if (!(rates_[k] >= 0.0 && rates_[k] <= 1.0))
      throw ArgumentError("Zoneout: a rate must lie in 0..1, one is " + std::to_string(rates_[k]));
    if (rates_[k] > 0.0) drawn_ += state_sizes()[k];
  }
}

Variable Zoneout::project(const Variable& x) const {
  Variable projected = CellWrapper::project(x);
  if (!training() || drawn_ == 0) return projected;
  return pack(projected, uniform({x.size(0), x.size(1), drawn_}, 0.0, 1.0, x.dtype()));
}

Step Zoneout::step(const Variable& x, const State& state) const {
  const bool draws = training() && drawn_ > 0;
  const auto [read, numbers] = draws ? unpack(x, drawn_) : std::pair{x, Variable()};
  Step after = CellWrapper::step(read, state);
  Index begin = 0;
  for (std::size_t k = 0; k < rates_.size(); ++k) {
    if (rates_[k] == 0.0) continue;
    Variable& next = after.state[k];
    if (!draws) {
      next = rates_[k] * state[k] + (1.0 - rates_[k]) * next;
      continue;
    }
    const Index end = begin + state_sizes()[k];
    const Tensor keeps = lt(slice(numbers, 1, begin, end).value(), rates_[k]);
    next = where(keeps.reshape(next.shape()), state[k], next);
    begin = end;
  }
  return after;
}

}  // namespace unroll::nn
