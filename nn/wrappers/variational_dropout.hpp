#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <optional>

namespace unroll::nn {

struct VariationalDropoutOptions {
  double input = 0.0;   ///< rate for x
  double state = 0.0;   ///< for the hidden state, state[0], that a step reads
  double output = 0.0;  ///< for the outputs
};

/// Dropout with one mask for all steps of a sequence (Gal and Ghahramani, A theoretically grounded
/// application of dropout in recurrent neural networks, 2016, section 4.2). In training mode each
/// call of the layer draws masks `[B,I]`, `[B,H]`, `[B,O]` of zeros and 1 / (1 - rate); every
/// sequence of the batch has its own. The rate of the state is the paper's for cells that read h
/// only through their recurrent weights, as LSTM and Elman. A GRU also keeps a part of h, and would
/// lose it: use WeightDrop there.
class VariationalDropout : public CellWrapper {
 public:
  /// Throws ArgumentError unless 0 <= rate < 1 for all three.
  VariationalDropout(AnyCell cell, const VariationalDropoutOptions& options);

  void prepare(Call& call) const override;
  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;

 private:
  VariationalDropoutOptions options_;
  PerCall input_, state_, output_;
};

}  // namespace unroll::nn
