#include <autograd/ops/lengths.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace unroll::nn {

void State::throw_index(std::size_t k) const {
  throw ArgumentError("state: tensor " + std::to_string(k) + " was asked for, there are " +
                      std::to_string(values_.size()) +
                      "; a cell has as many as the state sizes it gives its base class");
}

Shape with_batch(Index batch, const Shape& shape) {
  Shape all{batch};
  for (Index size : shape) all.push_back(size);
  return all;
}

Tensor RunOptions::running(Index steps, Dtype dtype) const {
  return lengths.empty() ? Tensor() : unroll::detail::running_steps(steps, lengths, dtype);
}

Tensor RunOptions::begins(Index t) const {
  const Index boundary = reverse ? t + 1 : t;
  if (!resets.defined() || boundary >= resets.shape()[0]) return {};
  Tensor here = resets.select(0, boundary);
  const std::vector<double> marks = here.to(Dtype::float64).to_vector<double>();
  const bool any = std::any_of(marks.begin(), marks.end(), [](double mark) { return mark != 0.0; });
  return any ? here : Tensor();
}

State detach(const State& state) {
  State constants;
  for (const Variable& value : state) constants.push_back(unroll::detach(value));
  return constants;
}

namespace {

std::vector<Shape> shapes_of(std::initializer_list<StateShape> list) {
  std::vector<Shape> shapes;
  for (const StateShape& state : list) shapes.push_back(state.shape);
  return shapes;
}

}  // namespace

Cell::Cell(Index inputs, std::initializer_list<StateShape> state_shapes)
    : Cell(inputs, shapes_of(state_shapes)) {}

Cell::Cell(Index inputs, std::vector<Shape> state_shapes)
    : inputs_(inputs), state_shapes_(std::move(state_shapes)) {
  if (inputs < 1)
    throw ArgumentError("cell: the number of inputs must be at least 1, it is " +
                        std::to_string(inputs));
  if (state_shapes_.empty()) throw ArgumentError("cell: there must be at least one state tensor");
  for (const Shape& shape : state_shapes_) {
    for (Index size : shape)
      if (size < 1)
        throw ArgumentError("cell: a state size must be at least 1, it is " + std::to_string(size));
    state_sizes_.push_back(size_of(shape));
  }
}

State Cell::initial_state(Index batch, Dtype dtype) const {
  State state;
  for (const Shape& shape : state_shapes_) state.push_back(zeros(with_batch(batch, shape), dtype));
  return state;
}

State Cell::force(const State&, const Variable&) const {
  throw ArgumentError(
      "recurrent: targets were given, but this cell does not feed its output back, so there is "
      "nothing to force; leave the targets out, or use a cell that overrides force()");
}

}  // namespace unroll::nn
