#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// A cell whose state is a linear recurrence, h_t = a_t h_{t-1} + b_t, with coefficients that do
/// not depend on the state. To make one, derive from this class and write coefficients(). A layer
/// then runs all steps as one operation (linear_scan) forward and backward; stepping, streaming,
/// lengths, boundaries and the learning rules work as for any cell. `h: [B,H]`, the output.
///
///     class Decay : public nn::LinearCell {  // a leaky integrator
///      public:
///       explicit Decay(Index size) : LinearCell(size, size) {}
///       Coefficients coefficients(const Variable& x) const override { return {0.9, x}; }
///     };
class LinearCell : public Cell {
 public:
  LinearCell(Index inputs, Index hidden);

  struct Coefficients {
    Variable decay;  ///< a, of the shape of `input` or one that broadcasts to it
    Variable input;  ///< b: [T,B,H]
  };
  /// For all steps at once, from `x: [T,B,I]`. As in project(), the coefficients of a step depend
  /// on that step of x alone.
  virtual Coefficients coefficients(const Variable& x) const = 0;

  /// Decay and input side by side: [T,B,2H]. Throws ShapeError when they do not fit.
  Variable project(const Variable& x) const final;
  Step step(const Variable& x, const State& state) const final;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const final;

 private:
  Coefficients checked_coefficients(const Variable& x) const;
};

}  // namespace unroll::nn
