#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

/// Options of Bilinear.
struct BilinearOptions {
  bool bias = true;
};

/// y_o = a^T W_o b + bias_o. `a: [...,I]`, `b: [...,J]` with equal leading axes, result `[...,O]`.
/// Parameters `weight: [O,I,J]` and `bias: [O]`, uniform over +-1/sqrt(I) at first, as in PyTorch.
class Bilinear : public Module {
 public:
  /// `first` is I, `second` J. Throws ArgumentError when a size is below 1.
  Bilinear(Index first, Index second, Index outputs, const BilinearOptions& options = {});

  Variable operator()(const Variable& a, const Variable& b) const;

  const Parameter& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }

 private:
  Parameter weight_;
  std::optional<Parameter> bias_;
};

}  // namespace unroll::nn
