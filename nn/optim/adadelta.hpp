#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of Adadelta.
struct AdadeltaOptions {
  double learning_rate = 1.0;
  double rho = 0.9;
  double epsilon = 1e-6;
  double weight_decay = 0.0;  ///< added to the gradient, times the weight
};

/// Adadelta (Zeiler, ADADELTA: an adaptive learning rate method, 2012, algorithm 1), as in PyTorch:
///
///     s = rho s + (1 - rho) g^2,   d = sqrt(u + epsilon) / sqrt(s + epsilon) g
///     u = rho u + (1 - rho) d^2,   w = w - learning_rate d
class Adadelta : public Optimizer {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit Adadelta(std::vector<Parameter> parameters, const AdadeltaOptions& options = {});

 private:
  void update(const Turn& turn) override;

  AdadeltaOptions options_;
};

}  // namespace unroll::nn
