#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <optional>

namespace unroll::nn {

/// Layer normalisation (Ba, Kiros and Hinton, 2016) of the outputs, over the elements of a step:
/// scale (y - mean y) / sqrt(var y + epsilon) + shift. The state is the cell's own; LayerNormLSTM
/// and LayerNormGRU normalise inside the recurrence. Parameters beside the cell's:
/// `output_scale: [O]`, 1 at first, and `output_shift: [O]`.
class OutputNorm : public CellWrapper {
 public:
  explicit OutputNorm(AnyCell cell);

  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;

 private:
  Parameter scale_, shift_;
};

}  // namespace unroll::nn
