#pragma once

#include <autograd/ops/check.hpp>

#include <vector>

/// Sequences of unequal length in a batch, time first.
namespace unroll::detail {

/// Throws ShapeError unless there is one length for each sequence of `x: [T,B,...]`, and
/// ArgumentError for one outside 0..T.
void check_lengths(const char* operation, const Argument& x, const std::vector<Index>& lengths);

/// `[T,B]`: 1 up to the end of each sequence, then 0.
Tensor running_steps(Index steps, const std::vector<Index>& lengths, Dtype dtype);

}  // namespace unroll::detail
