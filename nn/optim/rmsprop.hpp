#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of RMSprop.
struct RMSpropOptions {
  double learning_rate = 1e-2;
  double alpha = 0.99;  ///< how much of the average is kept
  double epsilon = 1e-8;
  double momentum = 0.0;
  bool centered = false;
  double weight_decay = 0.0;  ///< added to the gradient, times the weight
};

/// RMSprop (Tieleman and Hinton, lecture 6.5 of Neural networks for machine learning, 2012), as in
/// PyTorch:
///
///     s = alpha s + (1 - alpha) g^2,   w = w - learning_rate g / (sqrt(s) + epsilon)
///
/// Centered (Graves, Generating sequences with recurrent neural networks, 2013, equations 38 to 45)
/// with s - m^2 in place of s, where m averages g as s does g^2. With a momentum the quotient is
/// added up: v = momentum v + g / (...), w = w - learning_rate v.
class RMSprop : public Optimizer {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit RMSprop(std::vector<Parameter> parameters, const RMSpropOptions& options = {});

 private:
  void update(const Turn& turn) override;

  RMSpropOptions options_;
};

}  // namespace unroll::nn
