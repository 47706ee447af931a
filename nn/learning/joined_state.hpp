#pragma once

#include <nn/recurrent/cell.hpp>

#include <vector>

/// The state as one matrix, for what takes its Jacobians.
namespace unroll::nn {

/// All parts of a state side by side: `[B,n]`.
Variable join(const State& state);

/// The parts, `[B,H]` each, of `joined: [B,n]`.
State part(const Variable& joined, const std::vector<Index>& sizes);

}  // namespace unroll::nn
