#pragma once

#include <nn/optim/optimizer.hpp>

namespace unroll::nn {

/// Options of SGD.
struct SGDOptions {
  double learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
  double weight_decay = 0.0;  ///< added to the gradient, times the weight
};

/// Stochastic gradient descent, as in PyTorch: v = momentum v + g, w = w - learning_rate v. Without
/// momentum and weight decay, only the rows of an embedding that were looked up are touched.
class SGD : public Optimizer {
 public:
  /// Throws ArgumentError for a negative rate.
  explicit SGD(std::vector<Parameter> parameters, const SGDOptions& options = {});

 private:
  void update(const Turn& turn) override;

  SGDOptions options_;
};

}  // namespace unroll::nn
