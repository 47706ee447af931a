#pragma once

#include <autograd/tensor/random.hpp>
#include <nn/recurrent/cell.hpp>

#include <optional>
#include <string>

/// What whoever runs a cell asks of it, and of the states that come with it.
namespace unroll::nn {

/// The class of a cell, as the program names it.
std::string class_name(const Cell& cell);

/// Throws ShapeError, beginning with `name`, unless the state is one of this cell and batch.
/// `what` names it: "the state given".
void check_state(const char* name, const char* what, const Cell& cell, const State& state,
                 Index batch);

/// What the cell makes for a call: with the numbers of `draws`, or of default_generator(), which
/// goes on.
Call prepared(const Cell& cell, Index batch, Dtype dtype, const std::optional<Generator>& draws);

/// What project() makes of `x: [T,B,I]`. Throws ShapeError, beginning with `name`, unless the first
/// axis is still the time.
Variable project(const char* name, const Cell& cell, const Variable& x);

/// Throws ShapeError, beginning with `name` and naming the cell's class, unless the output of a
/// step is `[B,O]` of this cell and batch.
void check_output(const char* name, const Cell& cell, const Variable& output, Index batch);

/// One step of the cell, with its output: that of the step, or what output() makes of the state.
/// `x: [B,P]`, `state` a checked one. Throws ShapeError, beginning with `name` and naming the
/// cell's class, for a state or an output of another shape.
Step step(const char* name, const Cell& cell, const Variable& x, const State& state);

/// Throws TapeError for a state that is recorded, and so could have come from anywhere.
void check_constant(const char* name, const State& state);

}  // namespace unroll::nn
