#include <autograd/ops/layout.hpp>
#include <autograd/ops/linear_scan.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_checks.hpp>
#include <nn/recurrent/linear_cell.hpp>

#include <array>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// `[T,B,...]` of a state shape.
Shape over_time(const Variable& x, const Shape& state) {
  Shape shape = with_batch(x.size(1), state);
  shape.insert(0, x.size(0));
  return shape;
}

/// All axes but the first `kept` as one.
Variable flattened(const Variable& x, int kept) {
  if (x.rank() == kept + 1) return x;
  Shape shape;
  for (int axis = 0; axis < kept; ++axis) shape.push_back(x.size(axis));
  shape.push_back(1);
  for (int axis = kept; axis < x.rank(); ++axis) shape[kept] *= x.size(axis);
  return reshape(x, shape);
}

Variable shaped(const Variable& x, const Shape& shape) {
  return x.shape() == shape ? x : reshape(x, shape);
}

}  // namespace

LinearCell::LinearCell(Index inputs, Index hidden) : LinearCell(inputs, StateShape(hidden)) {}

LinearCell::LinearCell(Index inputs, const StateShape& state, const LinearCellOptions& options)
    : Cell(inputs, {state}), is_complex_(options.complex) {
  if (is_complex_ && (state.shape.empty() || state.shape[0] != 2))
    throw ArgumentError(
        "LinearCell: the state of a complex recurrence must begin with an axis of 2 for real and "
        "imaginary parts, it is " +
        to_string(state.shape) + "; give {2, modes}");
}

LinearCell::Coefficients LinearCell::checked_coefficients(const Variable& x) const {
  Coefficients c = coefficients(x);
  const Shape& state = state_shapes()[0];
  const Shape expected = over_time(x, state);
  const std::string in_class = " (class " + class_name(*this) + ")";
  if (!c.input.defined() || c.input.shape() != expected)
    throw ShapeError("linear cell: the input coefficients are " + describe(c.input.value()) +
                     ", for x " + to_string(x.shape()) + " they must be " + to_string(expected) +
                     in_class);
  if (!c.decay.defined() || broadcast("linear cell", c.decay.shape(), expected) != expected)
    throw ShapeError("linear cell: the decay is " + describe(c.decay.value()) +
                     ", it must broadcast to " + to_string(expected) + in_class);
  // An axis of 1, or none, would make the imaginary part of a number of its real part.
  if (is_complex_ && (c.decay.rank() < state.rank() || c.decay.size(-state.rank()) != 2))
    throw ShapeError("linear cell: the decay is " + describe(c.decay.value()) +
                     ", it must have real and imaginary parts as the state does, " +
                     to_string(state) + in_class);
  return c;
}

Variable LinearCell::checked_readout(const Variable& h, const Variable& x) const {
  Variable y = readout(h, x);
  const Shape expected{x.size(0), x.size(1), outputs()};
  if (y.defined() && y.shape() != expected)
    throw ShapeError("linear cell: readout returned " + describe(y.value()) + ", for x " +
                     to_string(x.shape()) + " and this cell it must be " + to_string(expected) +
                     "; override outputs() when the output has another size than the state" +
                     " (class " + class_name(*this) + ")");
  return y;
}

Variable LinearCell::project(const Variable& x) const {
  const auto [decay, input] = checked_coefficients(x);
  return concat({flattened(broadcast_to(decay, input.shape()), 2), flattened(input, 2), x});
}

Step LinearCell::step(const Variable& x, const State& state) const {
  const Index size = state_sizes()[0];
  const auto parts = split(x, std::array{size, size, inputs()});
  const Shape shape = with_batch(x.size(0), state_shapes()[0]);
  const Variable decay = shaped(parts[0], shape), input = shaped(parts[1], shape);
  const Variable h =
      is_complex_ ? select(complex_linear_scan(unsqueeze(decay, 0), unsqueeze(input, 0),
                                               {.start = state[0]}),
                           0, 0)
                  : pointwise(
                        "linear_step", [](auto a, auto before, auto b) { return a * before + b; },
                        decay, state[0], input);
  const Variable y = checked_readout(unsqueeze(h, 0), unsqueeze(parts[2], 0));
  if (!y.defined()) return {h};
  return Step(select(y, 0, 0), {h});
}

std::optional<Sequence> LinearCell::run(const Variable& x, const State& state,
                                        const RunOptions& options) const {
  LinearScanOptions how{.start = state[0],
                        .reverse = options.reverse,
                        .lengths = options.lengths,
                        .resets = options.resets};
  if (options.resets.defined()) how.restart = options.start[0];
  const auto [decay, input] = checked_coefficients(x);
  const Variable h =
      is_complex_ ? complex_linear_scan(decay, input, how) : linear_scan(decay, input, how);
  Variable y = checked_readout(h, x);
  return Sequence{y.defined() ? y : flattened(h, 2),
                  {select(h, 0, options.reverse ? 0 : x.size(0) - 1)}};
}

Variable LinearCell::output(const State& state) const { return flattened(state[0], 1); }

}  // namespace unroll::nn
