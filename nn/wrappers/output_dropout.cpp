#include <autograd/ops/dropout.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/wrappers/output_dropout.hpp>

#include <string>
#include <utility>

namespace unroll::nn {

OutputDropout::OutputDropout(AnyCell cell, double rate)
    : CellWrapper(std::move(cell)), rate_(rate) {
  if (!(rate >= 0.0 && rate < 1.0))
    throw ArgumentError("OutputDropout: the rate must be at least 0 and less than 1, it is " +
                        std::to_string(rate));
}

Variable OutputDropout::masks_for(const Variable& x) const {
  return dropout(ones({x.size(0), x.size(1), outputs()}, x.dtype()), rate_);
}

// All masks at once: drawing them step by step costs more than the step of a small cell.
Variable OutputDropout::project(const Variable& x) const {
  const Variable projected = CellWrapper::project(x);
  return drops() ? pack(projected, masks_for(x)) : projected;
}

Step OutputDropout::step(const Variable& x, const State& state) const {
  if (!drops()) return CellWrapper::step(x, state);
  const auto [read, mask] = unpack(x, outputs());
  Step after = inner_step(read, state);
  after.output = after.output * mask;
  return after;
}

std::optional<Sequence> OutputDropout::run(const Variable& x, const State& state,
                                           const RunOptions& options) const {
  auto all = CellWrapper::run(x, state, options);
  if (all && drops()) all->outputs = all->outputs * masks_for(x);
  return all;
}

}  // namespace unroll::nn
