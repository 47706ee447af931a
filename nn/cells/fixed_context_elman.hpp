#pragma once

#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of FixedContextElman.
struct FixedContextElmanOptions {
  Activation activation = tanh;
  bool bias = true;  ///< false for the network without bias
};

/// Elman network whose context units have the fixed weight 1.0: the copying of Elman (1990) without
/// trainable weights behind it.
///
///     s(t) = W^T x(t) + b + a(t-1)
///     a(t) = f(s(t))
///
/// State {a: [B,H]}. Parameters `input.weight: [H,I]`, which is W^T, and `input.bias: [H]`.
class FixedContextElman : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  FixedContextElman(Index inputs, Index hidden, const FixedContextElmanOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Activation activation_;
  Linear input_;
};

}  // namespace unroll::nn
