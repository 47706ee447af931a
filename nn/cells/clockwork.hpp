#pragma once

#include <nn/layers/activation.hpp>
#include <nn/recurrent/cell.hpp>

#include <vector>

namespace unroll::nn {

/// Options of ClockworkRNN.
struct ClockworkRNNOptions {
  std::vector<Index> periods = {1, 2, 4, 8};  ///< of the groups, in increasing order
  Activation activation = tanh;
};

/// Clockwork RNN (Koutnik, Greff, Gomez and Schmidhuber, A clockwork RNN, 2014): the units form
/// groups of equal size, each with a period. Step t = 0, 1, ... updates group g if t mod period_g
/// is 0; the others keep their values. A group reads itself and the slower groups.
///
///     h_g' = f(W_g x + b_g + sum_{j >= g} U_gj h_j)     if t mod period_g = 0
///     h_g' = h_g                                        otherwise
///
/// A product is computed only if a sequence of the batch needs it. Every sequence starts with an
/// update of all groups.
///
/// State {h: [B,H], clock: [B,1]}. The clock of a sequence is t, modulo the least common multiple
/// of the periods; no gradient flows through it. Parameters, with the groups in order: `weight_ih:
/// [H,I]`, `bias: [H]` and for each of the G groups, g from 1, `weight_hh_<g>: [H/G, H - (g-1)
/// H/G]`, the rows of the block triangular matrix U.
class ClockworkRNN : public Cell {
 public:
  /// Throws ArgumentError when a size is below 1; when periods is empty, begins below 1 or does not
  /// increase, or its least common multiple is 2^24 or more, which float32 could not count; when
  /// the number of periods does not divide `hidden`.
  ClockworkRNN(Index inputs, Index hidden, const ClockworkRNNOptions& options = {});

  Variable project(const Variable& x) const override;
  Step step(const Variable& x, const State& state) const override;

 private:
  std::vector<Index> periods_;
  Index cycle_;  // least common multiple of the periods
  Activation activation_;
  Parameter weight_ih_, bias_;
  std::vector<Parameter> weights_hh_;  // of the groups
};

}  // namespace unroll::nn
