#pragma once

#include <autograd/tape/variable.hpp>

namespace unroll {

struct Conv1dOptions {
  Index stride = 1;    ///< from one window to the next
  Index padding = 0;   ///< zeros at each end of x; for zeros at one end only, use `pad`
  Index dilation = 1;  ///< from one position of a window to the next
  Index groups = 1;    ///< the channels fall into this many groups that do not mix
};

/// Convolution over the last axis, without a flip of the weight, as in PyTorch:
///
///     y[b][o][t] = bias[o] + sum_ck weight[o][c][k] x[b][c][t stride + k dilation]
///
/// `x: [B,C,T]`, `weight: [O,C/groups,K]`, `bias: [O]` or undefined, one floating dtype; result
/// `[B,O,N]` with N = (T + 2 padding - dilation (K - 1) - 1) / stride + 1. Windows are laid out
/// as rows, and one matrix product does the rest, one for each group when there are several. Throws
/// ShapeError, DtypeError, ArgumentError for options out of range.
Variable conv1d(const Variable& x, const Variable& weight, const Variable& bias = {},
                const Conv1dOptions& options = {});

}  // namespace unroll
