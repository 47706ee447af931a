#include <autograd/ops/layout.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/narx.hpp>

#include <array>
#include <string>

namespace unroll::nn {
namespace {

std::vector<Shape> line_shapes(Index inputs, Index outputs, const NARXOptions& options) {
  if (options.output_delays < 1 || options.input_delays < 0)
    throw ArgumentError(
        "narx: output_delays must be at least 1 and input_delays at least 0, they are " +
        std::to_string(options.output_delays) + " and " + std::to_string(options.input_delays));
  std::vector<Shape> shapes{Shape{options.output_delays * outputs}};
  if (options.input_delays > 0) shapes.push_back(Shape{options.input_delays * inputs});
  return shapes;
}

/// The delay line with `value` at its front and the oldest value dropped.
Variable push(const Variable& value, const Variable& line) {
  const Index kept = line.size(-1) - value.size(-1);
  return kept == 0 ? value : concat({value, slice(line, -1, 0, kept)});
}

}  // namespace

NARX::NARX(Index inputs, Index hidden, Index outputs, const NARXOptions& options)
    : Cell(inputs, line_shapes(inputs, outputs, options)),
      outputs_(outputs),
      activation_(options.activation),
      output_activation_(options.output_activation),
      input_(add("input", Linear(inputs, hidden))),
      feedback_(add("feedback", Linear(options.output_delays * outputs, hidden, {.bias = false}))),
      readout_(add("readout", Linear(hidden, outputs))) {
  if (options.input_delays > 0)
    delayed_ = add("delayed", Linear(options.input_delays * inputs, hidden, {.bias = false}));
}

Variable NARX::project(const Variable& x) const {
  // The delay line needs x itself as well.
  return delayed_ ? concat({input_(x), x}) : input_(x);
}

Step NARX::step(const Variable& x, const State& state) const {
  const auto output_of = [&](const Variable& s) {
    return output_activation_(readout_(activation_(s)));
  };
  if (!delayed_) {
    const Variable y = output_of(linear(state[0], feedback_.weight(), x));
    return {push(y, state[0])};
  }
  const std::array<Index, 2> sizes{x.size(-1) - inputs(), inputs()};
  const std::vector<Variable> parts = split(x, sizes);
  const Variable s = linear(state[1], delayed_->weight(), parts[0]);
  const Variable y = output_of(linear(state[0], feedback_.weight(), s));
  return {push(y, state[0]), push(parts[1], state[1])};
}

Variable NARX::output(const State& state) const { return slice(state[0], -1, 0, outputs_); }

State NARX::force(const State& state, const Variable& target) const {
  State forced = state;
  const Index size = state[0].size(-1);
  forced[0] = size == outputs_ ? target : concat({target, slice(state[0], -1, outputs_, size)});
  return forced;
}

}  // namespace unroll::nn
