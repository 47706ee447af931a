#pragma once

#include <autograd/tape/substitution.hpp>
#include <nn/optim/optimizer.hpp>

#include <vector>

namespace unroll::nn {

/// Options of ASGD.
struct ASGDOptions {
  double learning_rate = 1e-2;
  double lambda = 1e-4;
  double alpha = 0.75;
  double start = 1e6;         ///< step after which weights are averaged
  double weight_decay = 0.0;  ///< added to the gradient, times the weight
};

/// Averaged stochastic gradient descent (Polyak and Juditsky, 1992), as in PyTorch: SGD with a rate
/// that falls, eta_t = learning_rate / (1 + lambda learning_rate t)^alpha, with weights that decay
/// by lambda eta_t, and with the average of the weights from step `start` on. Training goes on with
/// the weights; evaluate with the averages, within the lifetime of
/// `const Substitution averaged(asgd.averages());`.
class ASGD : public Optimizer {
 public:
  /// Throws ArgumentError for an option out of its range.
  explicit ASGD(std::vector<Parameter> parameters, const ASGDOptions& options = {});

  /// Each parameter with its average; the weight itself where no step was taken.
  std::vector<Substitution::Entry> averages() const;

 private:
  void update(const Turn& turn) override;

  ASGDOptions options_;
};

}  // namespace unroll::nn
