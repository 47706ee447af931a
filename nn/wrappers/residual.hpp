#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <optional>

namespace unroll::nn {

/// Adds the input of a step to its output (He et al., 2016; in stacked LSTMs Wu et al., 2016,
/// section 3.1): a layer of a deep stack then learns what to change. The state is the cell's own.
class Residual : public CellWrapper {
 public:
  /// Throws ArgumentError unless the cell has as many outputs as inputs.
  explicit Residual(AnyCell cell);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;
};

}  // namespace unroll::nn
