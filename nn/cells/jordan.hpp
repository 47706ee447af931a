#pragma once

#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct JordanOptions {
  Activation activation = tanh;                      ///< f
  Activation output_activation = linear_activation;  ///< g
  bool bias = true;                                  ///< false for the network without bias
};

/// Jordan network: the recurrence goes through the output (Jordan, 1986, without the decay of its
/// state units, which nn::Jordan1986 has):
///
///     s(t) = W^T x(t) + b + R^T y(t-1)
///     a(t) = f(s(t))
///     y(t) = g(V^T a(t) + c)
///
/// State and output {y: [B,O]}. Parameters `input.weight: [H,I]`, which is W^T, `input.bias: [H]`,
/// `feedback.weight: [H,O]`, which is R^T, `readout.weight: [O,H]`, which is V^T, `readout.bias:
/// [O]`. Can be forced (UnrollOptions::targets).
class Jordan : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  Jordan(Index inputs, Index hidden, Index outputs, const JordanOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;
  State force(const State& state, const Variable& target) const override;

 private:
  Activation activation_, output_activation_;
  Linear input_, feedback_, readout_;
};

}  // namespace unroll::nn
