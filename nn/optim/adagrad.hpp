#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of Adagrad.
struct AdagradOptions {
  double learning_rate = 1e-2;
  double rate_decay = 0.0;
  double epsilon = 1e-10;
  double weight_decay = 0.0;  ///< added to the gradient, times the weight
};

/// Adagrad (Duchi, Hazan and Singer, 2011), as in PyTorch:
///
///     s = s + g^2,   w = w - learning_rate / (1 + (t - 1) rate_decay) g / (sqrt(s) + epsilon)
class Adagrad : public Optimizer {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit Adagrad(std::vector<Parameter> parameters, const AdagradOptions& options = {});

 private:
  void update(const Turn& turn) override;

  AdagradOptions options_;
};

}  // namespace unroll::nn
