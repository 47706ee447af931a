#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/wrappers/cell_wrapper.hpp>

#include <utility>

namespace unroll::nn {

CellWrapper::CellWrapper(AnyCell inner)
    : Cell(inner->inputs(), inner->state_shapes()), inner_(std::move(inner)) {
  add("", static_cast<const Module&>(*inner_));
}

Variable CellWrapper::pack(const Variable& projected, const Variable& extra) {
  if (projected.rank() != 3)
    throw ShapeError("wrapper: project of the inner cell made " + describe(projected.value()) +
                     "; this wrapper needs [T,B,P], so let the cell reshape in its step");
  return concat({projected, extra});
}

std::pair<Variable, Variable> CellWrapper::unpack(const Variable& x, Index extra) {
  std::vector<Variable> parts = split(x, std::vector<Index>{x.size(1) - extra, extra});
  return {std::move(parts[0]), std::move(parts[1])};
}

Step CellWrapper::inner_step(const Variable& x, const State& state) const {
  Step after = inner_->step(x, state);
  if (!after.output.defined()) after.output = inner_->output(after.state);
  return after;
}

}  // namespace unroll::nn
