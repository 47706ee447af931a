#pragma once

#include <autograd/ops/matmul.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

/// Options of Linear.
struct LinearOptions {
  bool bias = true;
};

/// y = x W^T + b. `x: [...,inputs]`, result `[...,outputs]`. Parameters `weight: [outputs,inputs]`
/// and `bias: [outputs]`, uniform over +-1/sqrt(inputs) at first, as in PyTorch.
class Linear : public Module {
 public:
  /// Throws ArgumentError when a size is below 1.
  Linear(Index inputs, Index outputs, const LinearOptions& options = {});

  Variable operator()(const Variable& x) const;

  const Parameter& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }

 private:
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace unroll::nn
