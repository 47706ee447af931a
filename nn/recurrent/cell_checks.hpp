#pragma once

#include <nn/recurrent/cell.hpp>

/// What whoever runs a cell asks of it, and of the states that come with it.
namespace unroll::nn {

/// Throws ShapeError, beginning with `name`, unless the state is one of this cell and batch.
/// `what` names it: "the state given".
void check_state(const char* name, const char* what, const Cell& cell, const State& state,
                 Index batch);

/// What project() makes of `x: [T,B,I]`. Throws ShapeError, beginning with `name`, unless the first
/// axis is still the time.
Variable project(const char* name, const Cell& cell, const Variable& x);

/// Throws TapeError for a state that is recorded, and so could have come from anywhere.
void check_constant(const char* name, const State& state);

}  // namespace unroll::nn
