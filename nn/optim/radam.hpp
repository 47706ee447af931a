#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of RAdam.
struct RAdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  ///< added to the gradient, times the weight
};

/// Rectified Adam (Liu et al., On the variance of the adaptive learning rate and beyond, 2020,
/// algorithm 2), as in PyTorch: Adam's step times r_t, once the variance of the second moment is
/// tractable, and a step along the first moment alone before.
class RAdam : public Optimizer {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit RAdam(std::vector<Parameter> parameters, const RAdamOptions& options = {});

 private:
  void update(const Turn& turn) override;

  RAdamOptions options_;
};

}  // namespace unroll::nn
