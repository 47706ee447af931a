#pragma once

#include <autograd/tape/variable.hpp>
#include <nn/module.hpp>

#include <optional>

namespace unroll::nn {

/// Options of RMSNorm.
struct RMSNormOptions {
  double epsilon = 1e-5;  ///< added to the mean square
  bool scale = true;      ///< has the parameter `weight`
};

/// Root mean square normalisation (Zhang and Sennrich, Root mean square layer normalization, 2019,
/// eq. 4): layer normalisation without the mean, each vector along the last axis on its own.
///
///     y = x / sqrt(mean x^2 + epsilon) weight
///
/// `x: [...,size]`, result of its shape. Parameter `weight: [size]`, ones at first.
class RMSNorm : public Module {
 public:
  /// Throws ArgumentError when the size is below 1 or epsilon negative.
  explicit RMSNorm(Index size, const RMSNormOptions& options = {});

  /// Throws ShapeError for a last axis of another size.
  Variable operator()(const Variable& x) const;

  const std::optional<Parameter>& weight() const { return weight_; }

 private:
  Index size_;
  double epsilon_;
  std::optional<Parameter> weight_;
};

}  // namespace unroll::nn
