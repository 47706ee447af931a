#include <autograd/tensor/error.hpp>
#include <nn/recurrent/cell_checks.hpp>

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <typeinfo>
#include <vector>

namespace unroll::nn {
namespace {

std::string in_class(const Cell& cell) { return " (class " + class_name(cell) + ")"; }

}  // namespace

std::string class_name(const Cell& cell) {
  const char* mangled = typeid(cell).name();
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : mangled;
}

void check_state(const char* name, const char* what, const Cell& cell, const State& state,
                 Index batch) {
  const std::vector<Shape>& shapes = cell.state_shapes();
  if (state.size() != shapes.size())
    throw ShapeError(std::string(name) + ": " + what + " has " + std::to_string(state.size()) +
                     " tensors, the cell keeps " + std::to_string(shapes.size()) + in_class(cell) +
                     "; all parts of a state are carried together");
  for (std::size_t k = 0; k < shapes.size(); ++k)
    if (!state[k].defined() || state[k].shape() != with_batch(batch, shapes[k]))
      throw ShapeError(std::string(name) + ": " + what + " has at " + std::to_string(k) + ' ' +
                       describe(state[k].value()) + ", this cell and a batch of " +
                       std::to_string(batch) + " need " + to_string(with_batch(batch, shapes[k])) +
                       in_class(cell) +
                       "; a state belongs to the cell and the sequences it was computed from");
}

Call prepared(const Cell& cell, Index batch, Dtype dtype, const std::optional<Generator>& draws) {
  Call call(batch, dtype);
  std::optional<GeneratorScope> drawing;
  if (draws) drawing.emplace(*draws);
  cell.prepare(call);
  return call;
}

Variable project(const char* name, const Cell& cell, const Variable& x) {
  Variable projected = cell.project(x);
  if (!projected.defined() || projected.rank() < 1 || projected.size(0) != x.size(0))
    throw ShapeError(std::string(name) + ": project made " + describe(projected.value()) +
                     " of x " + to_string(x.shape()) + "; the first axis must stay the time");
  return projected;
}

void check_output(const char* name, const Cell& cell, const Variable& output, Index batch) {
  if (output.defined() && output.rank() == 2 && output.size(0) == batch &&
      output.size(1) == cell.outputs())
    return;
  throw ShapeError(std::string(name) + ": the output of step is " + describe(output.value()) +
                   ", this cell and a batch of " + std::to_string(batch) + " need " +
                   to_string(Shape{batch, cell.outputs()}) + in_class(cell) +
                   "; override outputs() when the output has another size than the first state "
                   "tensor");
}

Step step(const char* name, const Cell& cell, const Variable& x, const State& state) {
  const Index batch = state[0].size(0);
  Step after = cell.step(x, state);
  check_state(name, "what step returned", cell, after.state, batch);
  if (!after.output.defined()) after.output = cell.output(after.state);
  check_output(name, cell, after.output, batch);
  return after;
}

void check_constant(const char* name, const State& state) {
  for (const Variable& value : state)
    if (value.recorded())
      throw TapeError(std::string(name) +
                      ": the state given was recorded on a tape, where it cannot be followed from "
                      "here; carry a state from sequence to sequence with detach()");
}

}  // namespace unroll::nn
