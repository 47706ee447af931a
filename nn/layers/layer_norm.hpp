#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

/// Options of LayerNorm.
struct LayerNormOptions {
  double epsilon = 1e-5;  ///< added to the variance
  bool scale = true;      ///< has the parameter `weight`
  bool bias = true;       ///< has the parameter `bias`
};

/// Layer normalisation (Ba, Kiros and Hinton, Layer normalization, 2016, eq. 4): each vector along
/// the last axis on its own.
///
///     y = (x - mean x) / sqrt(var x + epsilon) weight + bias
///
/// `x: [...,size]`, result of its shape. Parameters, as in PyTorch: `weight: [size]`, ones at
/// first, and `bias: [size]`, zeros.
class LayerNorm : public Module {
 public:
  /// Throws ArgumentError when the size is below 1 or epsilon negative.
  explicit LayerNorm(Index size, const LayerNormOptions& options = {});

  /// Throws ShapeError for a last axis of another size.
  Variable operator()(const Variable& x) const;

  const std::optional<Parameter>& weight() const { return weight_; }
  const std::optional<Parameter>& bias() const { return bias_; }

 private:
  Index size_;
  double epsilon_;
  std::optional<Parameter> weight_, bias_;
};

}  // namespace unroll::nn
