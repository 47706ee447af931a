#include <autograd/ops/normalization.hpp>
#include <nn/wrappers/output_norm.hpp>

#include <utility>

namespace unroll::nn {

OutputNorm::OutputNorm(AnyCell cell)
    : CellWrapper(std::move(cell)),
      scale_(parameter("output_scale", ones({outputs()}))),
      shift_(parameter("output_shift", zeros({outputs()}))) {}

Step OutputNorm::step(const Variable& x, const State& state) const {
  Step after = inner_step(x, state);
  after.output = layer_norm(after.output, scale_, shift_);
  return after;
}

std::optional<Sequence> OutputNorm::run(const Variable& x, const State& state,
                                        const RunOptions& options) const {
  auto all = CellWrapper::run(x, state, options);
  if (all) all->outputs = layer_norm(all->outputs, scale_, shift_);
  return all;
}

}  // namespace unroll::nn
