#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

/// Which zeros a Conv1d adds at the ends of a sequence, for a kernel that spans S + 1 steps,
/// S = dilation (K - 1).
enum class Conv1dPadding {
  valid,   ///< none: an output for each place where the whole kernel fits
  same,    ///< S / 2 before, rounded down, and the rest behind: as many outputs as steps
  causal,  ///< S before: an output reads its own step and earlier ones
};

/// Options of Conv1d, the layer; those of the operation conv1d are Conv1dOptions.
struct Conv1dLayerOptions {
  Conv1dPadding padding = Conv1dPadding::valid;
  Index stride = 1;    ///< steps from one output to the next
  Index dilation = 1;  ///< steps from one position of the kernel to the next
  Index groups = 1;    ///< the channels fall into this many groups that do not mix
  bool bias = true;
};

/// Convolution over time, without a flip of the kernel:
///
///     y[t][b][o] = bias[o] + sum_ik weight[o][i][k] x[t stride + k dilation - before][b][i]
///
/// `x: [T,B,I]`, time first, result `[N,B,O]`; `before` is the number of zeros before the first
/// step. N = (T - S - 1) / stride + 1 without padding, (T - 1) / stride + 1 with it. Parameters
/// `weight: [O,I/groups,K]` and `bias: [O]` with the layout of PyTorch, uniform over
/// +-1/sqrt(K I / groups) at first. Causal outputs at a stride of 1 are those of TimeDelay.
class Conv1d : public Module {
 public:
  /// Throws ArgumentError when a size, the stride, the dilation or the groups are below 1, when the
  /// groups do not divide both inputs and outputs, and for `same` together with a stride.
  Conv1d(Index inputs, Index outputs, Index kernel, const Conv1dLayerOptions& options = {});

  /// Throws ShapeError when x is not `[T,B,I]` with T at least 1, or shorter than the kernel
  /// without padding.
  Variable operator()(const Variable& x) const;

  const Parameter& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }

 private:
  Index inputs_;
  Conv1dLayerOptions options_;
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace unroll::nn
