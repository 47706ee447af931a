#pragma once

#include <nn/recurrent/cell.hpp>

#include <vector>

/// The state as one matrix, for what takes its Jacobians.
namespace unroll::nn {

/// All parts of a state concatenated: `[B,n]`.
Variable join(const State& state);

/// The parts of `joined: [B,n]`, in the shapes of the cell's state.
State part(const Variable& joined, const Cell& cell);

}  // namespace unroll::nn
