#pragma once

#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of LinearCell.
struct LinearCellOptions {
  /// Complex numbers: the first axis of the state has size 2, for real and imaginary parts.
  bool complex = false;
};

/// A cell whose state is a linear recurrence,
///
///     h_t = a_t h_{t-1} + b_t        elementwise, with a_t and b_t functions of x_t alone
///     y_t = readout(h_t, x_t)        h_t itself unless overridden
///
/// To make one, derive from this class and write coefficients(), and readout() for an output of its
/// own. A layer then runs all steps as one operation (linear_scan) forward and backward; stepping,
/// streaming, lengths, boundaries and the learning rules work as for any cell.
/// State `{h: [B,...]}`, of any shape.
///
///     class Decay : public nn::LinearCell {  // a leaky integrator
///      public:
///       explicit Decay(Index size) : LinearCell(size, size), rate_(parameter("rate", ...)) {}
///       Coefficients coefficients(const Variable& x) const override { return {rate_, x}; }
///     };
class LinearCell : public Cell {
 public:
  /// State `{h: [B,hidden]}`.
  LinearCell(Index inputs, Index hidden);
  /// State `{h: [B,...]}` of this shape: `{channels, modes}` for `[B,channels,modes]`, `{2, modes}`
  /// for complex numbers. Throws ArgumentError for a size below 1, and for complex numbers when the
  /// first size is not 2.
  LinearCell(Index inputs, const StateShape& state, const LinearCellOptions& options = {});

  struct Coefficients {
    Variable decay;  ///< a, of the shape of `input` or one that broadcasts to it, as `[H]`
    Variable input;  ///< b: `[T,B,...]`, the shape of the state behind T and B
  };
  /// For all steps at once, from `x: [T,B,I]`. As in project(), the coefficients of a step depend
  /// on that step of x alone.
  virtual Coefficients coefficients(const Variable& x) const = 0;

  /// The outputs `[T,B,O]` of all steps at once, from the states after them, `h: [T,B,...]`, and
  /// the input `x: [T,B,I]`; as above, that of a step depends on that step alone. Nothing, the
  /// default, stands for the state itself, its axes flattened. Override outputs() too when its size
  /// is another.
  virtual Variable readout(const Variable& /*h*/, const Variable& /*x*/) const { return {}; }

  /// Decay, input and x side by side: `[T,B,P]`. Throws ShapeError when the coefficients do not
  /// fit.
  Variable project(const Variable& x) const final;
  Step step(const Variable& x, const State& state) const final;
  std::optional<Sequence> run(const Variable& x, const State& state,
                              const RunOptions& options) const final;
  /// The state, flattened.
  Variable output(const State& state) const override;

 private:
  Coefficients checked_coefficients(const Variable& x) const;
  Variable checked_readout(const Variable& h, const Variable& x) const;

  bool is_complex_ = false;
};

}  // namespace unroll::nn
