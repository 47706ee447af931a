#pragma once

#include <nn/optim/optimizer.hpp>
#include <nn/optim/plateau.hpp>
#include <nn/optim/schedule.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lm {

/// The optimizer that a specification names: `adam`, `sgd:momentum=0.9`. Throws ArgumentError
/// listing what there is.
std::unique_ptr<unroll::nn::Optimizer> make_optimizer(
    const std::string& specification, const std::vector<unroll::Parameter>& parameters,
    double learning_rate, double weight_decay);

/// How long a run is, for schedules.
struct RunLength {
  double steps = 0;  ///< in all; infinite when only the time is limited
  double steps_per_epoch = 0;
};

/// The learning rate over a run: `cosine`, `constant`, `zaremba:flat=4`, each with `warmup=N` steps
/// if wanted. Numbers of epochs may have fractions.
class LearningRate {
 public:
  /// Throws ArgumentError listing what there is.
  LearningRate(const std::string& specification, const RunLength& length);

  /// The factor of the rate at a step; `fraction_done`: of the run.
  double factor(std::int64_t step, double fraction_done) const;
  /// The loss of a validation, by which `plateau` lowers the rate.
  void observe(double loss);

  /// Null unless the schedule is `plateau`; for checkpoints.
  unroll::nn::Plateau* plateau() { return plateau_ ? &*plateau_ : nullptr; }

 private:
  unroll::nn::Schedule schedule_;
  bool by_fraction_ = false;  // of the run rather than by steps
  double warmup_;
  std::optional<unroll::nn::Plateau> plateau_;
};

}  // namespace lm
