#pragma once

#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>

#include <vector>

namespace unroll::nn {

/// Options of MLP.
struct MLPOptions {
  Activation activation = tanh;                      ///< of every layer but the last
  Activation output_activation = linear_activation;  ///< of the last
  bool bias = true;
};

/// Multilayer perceptron (Rumelhart, Hinton and Williams, 1986):
///
///     a^0 = x      net^i = W^{i-1} a^{i-1} + b^{i-1}      a^i = f(net^i)
///
/// `x: [...,sizes.front()]`, result `[...,sizes.back()]`. Parameters `0.weight`, `0.bias`,
/// `1.weight`, ..., each those of a Linear.
///
///     MLP net({784, 100, 10}, {.activation = relu});
class MLP : public Module {
 public:
  /// Throws ArgumentError for fewer than two sizes or one below 1.
  explicit MLP(const std::vector<Index>& sizes, const MLPOptions& options = {});

  Variable operator()(const Variable& x) const;

  const std::vector<Linear>& layers() const { return layers_; }

 private:
  MLPOptions options_;
  std::vector<Linear> layers_;
};

}  // namespace unroll::nn
