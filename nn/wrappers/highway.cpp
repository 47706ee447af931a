#include <autograd/ops/layout.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/find_parameter.hpp>
#include <nn/wrappers/highway.hpp>

#include <string>
#include <utility>

namespace unroll::nn {
namespace {

Variable mix(const Variable& transform, const Variable& output, const Variable& x) {
  return pointwise(
      "highway", [](auto t, auto y, auto in) { return in + sigmoid(t) * (y - in); }, transform,
      output, x);
}

}  // namespace

Highway::Highway(AnyCell cell)
    : CellWrapper(std::move(cell)), transform_(add("transform", Linear(inputs(), inputs()))) {
  if (inputs() != outputs())
    throw ArgumentError("Highway: the cell takes " + std::to_string(inputs()) +
                        " inputs and returns " + std::to_string(outputs()) +
                        ", which cannot be mixed; make both the same");
  find_parameter(transform_, "bias").set(full({inputs()}, -1.0));
}

Variable Highway::project(const Variable& x) const {
  return pack(CellWrapper::project(x), concat({transform_(x), x}));
}

Step Highway::step(const Variable& x, const State& state) const {
  const auto [read, extra] = unpack(x, 2 * inputs());
  const auto [transform, input] = split<2>(extra);
  Step after = inner_step(read, state);
  after.output = mix(transform, after.output, input);
  return after;
}

std::optional<Sequence> Highway::run(const Variable& x, const State& state,
                                     const RunOptions& options) const {
  auto all = CellWrapper::run(x, state, options);
  if (all) all->outputs = mix(transform_(x), all->outputs, x);
  return all;
}

}  // namespace unroll::nn
