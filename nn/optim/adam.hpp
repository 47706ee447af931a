#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of Adam.
struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay =
      0.0;  ///< decoupled from the gradient, as in AdamW: w = w - learning_rate weight_decay w
};

/// Adam (Kingma and Ba, 2015), and AdamW (Loshchilov and Hutter, 2019) when weight_decay is set:
///
///     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
///     w = w - learning_rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// t counts the steps of each parameter separately. Every row of an embedding is updated, looked up
/// or not: its moments decay in any case.
class Adam : public Optimizer {
 public:
  /// Throws ArgumentError for a negative rate or epsilon, or a beta outside [0, 1).
  explicit Adam(std::vector<Parameter> parameters, const AdamOptions& options = {});

 private:
  void update(const Turn& turn) override;

  AdamOptions options_;
};

}  // namespace unroll::nn
