#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of NAdam.
struct NAdamOptions {
  double learning_rate = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double momentum_decay = 4e-3;
  double weight_decay = 0.0;  ///< added to the gradient, times the weight
};

/// Adam with Nesterov's momentum (Dozat, Incorporating Nesterov momentum into Adam, 2016), as in
/// PyTorch. With mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) and M_t the product of mu_1 ..
/// mu_t:
///
///     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
///     w = w - learning_rate ((1 - mu_t) / (1 - M_t) g + mu_{t+1} / (1 - M_{t+1}) m)
///             / (sqrt(v / (1 - beta2^t)) + epsilon)
class NAdam : public Optimizer {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit NAdam(std::vector<Parameter> parameters, const NAdamOptions& options = {});

 private:
  void update(const Turn& turn) override;

  NAdamOptions options_;
};

}  // namespace unroll::nn
