#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <optional>
#include <vector>

namespace unroll::nn {

/// Zoneout (Krueger et al., Zoneout: regularizing RNNs by randomly preserving hidden activations,
/// 2017): in training mode each element of a state keeps its value from the step before with
/// probability `rate`, drawn anew at each step. Otherwise it is the mean of both, rate s + (1 -
/// rate) s'. The output is made of the state so found.
///
///     nn::Recurrent rnn(nn::Zoneout(nn::LSTM(64, 128), {0.05, 0.5}));  // of h and of c
class Zoneout : public CellWrapper {
 public:
  /// A rate for each state tensor. Throws ArgumentError for another number of them and unless 0 <=
  /// rate <= 1.
  Zoneout(AnyCell cell, const std::vector<double>& rates);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& /*x*/, const State& /*state*/,
                              const RunOptions& /*options*/) const override {
    return std::nullopt;
  }

 private:
  std::vector<double> rates_;
  Index drawn_ = 0;  // elements of the states that are drawn for, of one sequence
};

}  // namespace unroll::nn
