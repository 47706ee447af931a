#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/wrappers/residual.hpp>

#include <string>
#include <utility>

namespace unroll::nn {

Residual::Residual(AnyCell cell) : CellWrapper(std::move(cell)) {
  if (inputs() != outputs())
    throw ArgumentError("Residual: the cell takes " + std::to_string(inputs()) +
                        " inputs and returns " + std::to_string(outputs()) +
                        ", which cannot be added; make both the same");
}

Variable Residual::project(const Variable& x) const { return pack(CellWrapper::project(x), x); }

Step Residual::step(const Variable& x, const State& state) const {
  const auto [read, input] = unpack(x, inputs());
  Step after = inner_step(read, state);
  after.output = after.output + input;
  return after;
}

std::optional<Sequence> Residual::run(const Variable& x, const State& state,
                                      const RunOptions& options) const {
  auto all = CellWrapper::run(x, state, options);
  if (all) all->outputs = all->outputs + x;
  return all;
}

}  // namespace unroll::nn
