#pragma once

#include <nn/wrappers/cell_wrapper.hpp>

#include <optional>

namespace unroll::nn {

/// Dropout on the outputs, with a mask drawn anew at each step; only in training mode. The state is
/// the cell's own and nothing of it is lost. For one mask over all steps see VariationalDropout.
class OutputDropout : public CellWrapper {
 public:
  /// Throws ArgumentError unless 0 <= rate < 1.
  OutputDropout(AnyCell cell, double rate);

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const override;

 private:
  bool drops() const { return training() && rate_ > 0.0; }
  /// `[T,B,O]`
  Variable masks_for(const Variable& x) const;

  double rate_;
};

}  // namespace unroll::nn
