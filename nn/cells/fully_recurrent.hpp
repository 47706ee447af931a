#pragma once

#include <nn/layers/activation.hpp>
#include <nn/layers/linear.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

/// Options of FullyRecurrent.
struct FullyRecurrentOptions {
  Activation activation = tanh;
  bool bias = true;  ///< false for the network without bias
};

/// Fully recurrent network: every unit reads every unit (Williams and Zipser, 1989):
///
///     s(t) = W^T x(t) + b + R^T a(t-1)
///     a(t) = f(s(t))
///
/// State {a: [B,H]}. Parameters `input.weight: [H,I]`, which is W^T, `input.bias: [H]` and
/// `recurrent.weight: [H,H]`, which is R^T. nn::Elman is the same network with the two biases and
/// the names of PyTorch.
class FullyRecurrent : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  FullyRecurrent(Index inputs, Index hidden, const FullyRecurrentOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  Activation activation_;
  Linear input_, recurrent_;
};

}  // namespace unroll::nn
