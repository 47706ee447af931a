#pragma once

#include <nn/layers/activation.hpp>
#include <nn/recurrent/cell.hpp>

namespace unroll::nn {

struct WilliamsZipserOptions {
  Activation activation = sigmoid;  ///< phi
};

/// The network of Williams and Zipser (Gradient-based learning algorithms for recurrent networks,
/// 1995): input neurons I, others Q, and
/// one weight matrix over all of S = I u Q:
///
///     xi_k(t) = x_k(t) for k in I,  a_k(t-1) for k in Q
///     z_k(t)  = sum_{l in S} w_kl xi_l(t)
///     a_k(t)  = phi(z_k(t))
///
/// for k in Q: of an input neuron nothing but x is ever read. State and output {a: [B,Q]}.
/// Parameter `weight: [Q,I+Q]`, the columns of I first. A bias is an input that is always 1. Which
/// neurons have targets may change with t: masked_squared_error. Can be forced
/// (UnrollOptions::targets), as Williams and Zipser trained it: where a target is NaN, outside
/// Theta(t), a neuron keeps its own activation.
class WilliamsZipser : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1.
  WilliamsZipser(Index inputs, Index units, const WilliamsZipserOptions& options = {});

  Step step(const Variable& x, const State& state) const override;
  State force(const State& state, const Variable& target) const override;

 private:
  Activation activation_;
  Parameter weight_;
};

}  // namespace unroll::nn
