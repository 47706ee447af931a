#include <autograd/ops/layout.hpp>
#include <autograd/ops/linear_scan.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/recurrent/linear_cell.hpp>

#include <string>

namespace unroll::nn {

LinearCell::LinearCell(Index inputs, Index hidden) : Cell(inputs, {hidden}) {}

LinearCell::Coefficients LinearCell::checked_coefficients(const Variable& x) const {
  Coefficients c = coefficients(x);
  const Shape expected{x.size(0), x.size(1), outputs()};
  if (!c.input.defined() || c.input.shape() != expected)
    throw ShapeError("linear cell: the input coefficients are " + describe(c.input.value()) +
                     ", for x " + to_string(x.shape()) + " they must be " + to_string(expected) +
                     " (class " + class_name(*this) + ")");
  if (!c.decay.defined() || broadcast("linear cell", c.decay.shape(), expected) != expected)
    throw ShapeError("linear cell: the decay is " + describe(c.decay.value()) +
                     ", it must broadcast to " + to_string(expected) + " (class " +
                     class_name(*this) + ")");
  if (c.decay.shape() != expected) c.decay = broadcast_to(c.decay, expected);
  return c;
}

Variable LinearCell::project(const Variable& x) const {
  const auto [decay, input] = checked_coefficients(x);
  return concat({decay, input});
}

Step LinearCell::step(const Variable& x, const State& state) const {
  const auto [decay, input] = split<2>(x);
  return {pointwise(
      "linear_step", [](auto a, auto h, auto b) { return a * h + b; }, decay, state[0], input)};
}

std::optional<Sequence> LinearCell::run(const Variable& x, const State& state,
                                        const RunOptions& options) const {
  const auto [decay, input] = checked_coefficients(x);
  LinearScanOptions how{.start = state[0],
                        .reverse = options.reverse,
                        .lengths = options.lengths,
                        .resets = options.resets};
  if (options.resets.defined()) how.restart = options.start[0];
  Variable h = linear_scan(decay, input, how);
  Variable last = select(h, 0, options.reverse ? 0 : x.size(0) - 1);
  return Sequence{std::move(h), {std::move(last)}};
}

}  // namespace unroll::nn
