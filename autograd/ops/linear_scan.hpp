#pragma once

#include <autograd/tape/variable.hpp>

#include <vector>

namespace unroll {

struct LinearScanOptions {
  /// `[B,...]`, the state before the first step; zeros when undefined.
  Variable start = {};
  /// From the last step to the first: h_t = a_t h_{t+1} + b_t. `start` is then the state after the
  /// last step.
  bool reverse = false;
  /// The number of steps of each sequence, B entries from 0 to T; empty: all T. Past its end a
  /// sequence keeps its state: h repeats it, and a and b there do not matter, be they NaN.
  std::vector<Index> lengths = {};
  /// `[T,B]` of 0 and 1, any dtype: 1 where a new sequence begins, as between two documents. No
  /// state and no gradient crosses the boundary before that step, in either direction: that step
  /// starts from `restart` or, with `reverse`, the step before it does. Boundaries past the end of
  /// a sequence do not matter.
  Tensor resets = {};
  /// `[B,...]`, the state behind a boundary; zeros when undefined.
  Variable restart = {};
};

/// The linear recurrence h_t = a_t h_{t-1} + b_t, elementwise, as one operation: no node for each
/// step. `b: [T,B,...]`, `a` of the shape of b or of one that broadcasts to it, which is not
/// copied: `[H]` for coefficients that are the same at all steps. One floating dtype. Returns h, of
/// the shape of b; T may be 0. The last state is `select(h, 0, T - 1)`: give it as `start` of the
/// next piece to go on with a stream. The backward pass is the same recurrence in reverse (Martin
/// and Cundy, Parallelizing linear recurrent neural nets over sequence length, 2018). Throws
/// DtypeError; ShapeError when a does not broadcast to b, or start, restart or resets do not match;
/// ArgumentError for a length outside 0..T.
///
///     Variable h = linear_scan(1.0 - z, z * candidate);  // a minGRU's hidden states
Variable linear_scan(const Variable& a, const Variable& b, const LinearScanOptions& options = {});

/// The same recurrence of complex numbers. An axis of 2 behind the batch axis holds their real and
/// imaginary parts: `b: [T,B,2,...]`, start and restart `[B,2,...]`. `a` broadcasts as above and
/// has that axis too: `[2,N]` for the eigenvalues of a diagonal transition matrix, with
/// `b: [T,B,2,N]`. Gradients are those of the real and the imaginary parts; the backward pass is
/// the recurrence in reverse with the conjugate of a. Throws as above, and ShapeError when the axis
/// of 2 is missing.
Variable complex_linear_scan(const Variable& a, const Variable& b,
                             const LinearScanOptions& options = {});

}  // namespace unroll
