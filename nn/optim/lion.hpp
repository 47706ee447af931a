#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of Lion.
struct LionOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0.0;  ///< decoupled from the gradient
};

/// Lion (Chen et al., Symbolic discovery of optimization algorithms, 2023, program 1):
///
///     w = w - learning_rate (sign(beta1 m + (1 - beta1) g) + weight_decay w)
///     m = beta2 m + (1 - beta2) g
class Lion : public Optimizer {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit Lion(std::vector<Parameter> parameters, const LionOptions& options = {});

 private:
  void update(const Turn& turn) override;

  LionOptions options_;
};

}  // namespace unroll::nn
