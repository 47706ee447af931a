#pragma once

#include <nn/layers/linear.hpp>
#include <nn/wrappers/cell_wrapper.hpp>

#include <optional>

namespace unroll::nn {

/// Mixes the input of a step into its output (Srivastava, Greff and Schmidhuber, Highway networks,
/// 2015, equation 3): t = sigmoid(W x + b), y = t y_cell + (1 - t) x. The state is the cell's own.
/// Parameters beside the cell's: `transform.weight: [I,I]`, `transform.bias: [I]`, which is -1 at
/// first, so that the layer begins by mostly passing x on.
class Highway : public CellWrapper {
 public:
  /// Throws ArgumentError unless the cell has as many outputs as inputs.
  explicit Highway(AnyCell cell);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;

 private:
  Linear transform_;
};

}  // namespace unroll::nn
