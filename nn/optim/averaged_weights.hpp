#pragma once

#include <autograd/tape/parameter.hpp>
#include <autograd/tape/substitution.hpp>
#include <nn/module.hpp>
#include <nn/saved_state.hpp>

#include <cstdint>
#include <vector>

namespace unroll::nn {

/// How AveragedWeights weighs the weights of different steps.
enum class Averaging {
  exponential,  ///< a = decay a + (1 - decay) w, from the weights at construction on
  debiased,     ///< the same from zeros on, divided by 1 - decay^t (Kingma and Ba, 2015, sec. 3)
  equal,        ///< the mean of all weights (Izmailov et al., 2018: SWA)
};

/// Options of AveragedWeights.
struct AveragedWeightsOptions {
  Averaging averaging = Averaging::exponential;
  double decay = 0.999;  ///< in [0, 1); without effect on an equal average
};

/// Averages of parameters over the steps of an optimizer. Training goes on with the weights;
/// evaluation uses the averages while they are substituted:
///
///     nn::AveragedWeights average(model.parameters());
///     adam.step(gradients);
///     average.update();
///     ...
///     const Substitution averaged(average.averages());
///     evaluate(model);
///
/// To keep them for good, after training: `for (auto& [parameter, value] : average.averages())
/// parameter.set(value.value());`. Averages have the dtype of the weights. Frozen parameters have
/// averages too.
class AveragedWeights {
 public:
  /// Throws ArgumentError for a decay out of its range.
  explicit AveragedWeights(const std::vector<Parameter>& parameters,
                           const AveragedWeightsOptions& options = {});

  /// Takes the present weights into the averages.
  void update();
  /// Number of updates.
  std::int64_t updates() const { return updates_; }

  /// Each parameter with its average. Before the first update that is its weight at construction.
  std::vector<Substitution::Entry> averages() const;

  /// For saving: `updates`, and `average` under the path of each parameter in the module. Throws
  /// ArgumentError for a parameter that the module lacks.
  NamedTensors state(const Module& module) const;
  /// Continues from such a state; options are not part of it. Throws FormatError, and changes
  /// nothing, for a state that does not fit.
  void set_state(const Module& module, const NamedTensors& state);

 private:
  /// Of the present weights in the averages, at the update to come.
  double share() const;

  std::vector<Parameter> parameters_;
  std::vector<Tensor> averages_;  // as many
  AveragedWeightsOptions options_;
  std::int64_t updates_ = 0;
};

}  // namespace unroll::nn
