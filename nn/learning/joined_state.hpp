#pragma once

#include <nn/cell.hpp>

#include <vector>

/// The state as one matrix, for what takes its Jacobians, and what such code asks of a state.
namespace unroll::nn {

/// All parts of a state side by side: `[B,n]`.
Variable join(const State& state);

/// The parts, `[B,H]` each, of `joined: [B,n]`.
State part(const Variable& joined, const std::vector<Index>& sizes);

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
