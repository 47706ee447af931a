#include <autograd/ops/dropout.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/wrappers/variational_dropout.hpp>

#include <string>
#include <utility>

namespace unroll::nn {
namespace {

Variable masked(const Variable& x, const PerCall& mask) {
  return mask.is_set() ? x * Variable(mask) : x;
}

}  // namespace

VariationalDropout::VariationalDropout(AnyCell cell, const VariationalDropoutOptions& options)
    : CellWrapper(std::move(cell)), options_(options) {
  for (const double rate : {options.input, options.state, options.output})
    if (!(rate >= 0.0 && rate < 1.0))
      throw ArgumentError("VariationalDropout: a rate must be at least 0 and less than 1, one is " +
                          std::to_string(rate));
}

void VariationalDropout::prepare(Call& call) const {
  CellWrapper::prepare(call);
  if (!training()) return;
  const auto draw = [&](const PerCall& mask, Index size, double rate) {
    if (rate > 0.0) call.set(mask, dropout(ones({call.batch(), size}, call.dtype()), rate));
  };
  draw(input_, inputs(), options_.input);
  if (options_.state > 0.0)
    call.set(state_, dropout(ones(with_batch(call.batch(), state_shapes()[0]), call.dtype()),
                             options_.state));
  draw(output_, outputs(), options_.output);
}

Variable VariationalDropout::project(const Variable& x) const {
  return CellWrapper::project(masked(x, input_));
}

Step VariationalDropout::step(const Variable& x, const State& state) const {
  State read = state;
  read[0] = masked(read[0], state_);
  Step after = inner_step(x, read);
  after.output = masked(after.output, output_);
  return after;
}

std::optional<Sequence> VariationalDropout::run(const Variable& x, const State& state,
                                                const RunOptions& options) const {
  if (state_.is_set()) return std::nullopt;
  auto all = CellWrapper::run(masked(x, input_), state, options);
  if (all) all->outputs = masked(all->outputs, output_);
  return all;
}

}  // namespace unroll::nn
