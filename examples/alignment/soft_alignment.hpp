#pragma once

#include <nn/recurrent/cell.hpp>

#include <vector>

namespace alignment {

using unroll::Index, unroll::Variable;
namespace nn = unroll::nn;

/// The dynamic programme of Needleman and Wunsch (1970) with the soft maximum log sum exp in the
/// place of the maximum (Mensch and Blondel, Differentiable dynamic programming for structured
/// prediction and attention, 2018):
///
///     V[i][j] = log(e^(V[i-1][j-1] + s[i][j]) + e^V[i-1][j] + e^V[i][j-1])
///
/// A step is an anti-diagonal d = i + j, since its elements depend on the two before it alone: a
/// recurrence without a parameter. Gaps cost nothing: a cost g for each letter of a gap moves all
/// alignments of two sequences as 2 g more for each match does, so it is part of the scores.
///
/// Input of the step d: s[i][d-i] for i = 1, ..., n, `[B,n]`; the first is that of d = 2. State
/// {V[i][d-i] for i = 0, ..., n: [B,n+1], V[i-1][d-i] the same}; where i or d-i is negative, V is
/// as good as minus infinity.
class SoftAlignment : public nn::Cell {
 public:
  /// For first sequences of up to n letters.
  explicit SoftAlignment(Index n) : Cell(n, {n + 1, n + 1}) {}

  nn::State initial_state(Index batch, unroll::Dtype dtype) const override;
  Variable project(const Variable& x) const override;
  nn::Step step(const Variable& x, const nn::State& state) const override;
};

/// How many letters the two sequences of each pair of a batch have.
struct Lengths {
  std::vector<Index> first, second;
};

/// V[n][m] of each pair, `[B]`: log of the sum of e^(sum of its match scores) over all alignments.
/// `match: [B,N,M]`; what it holds past the ends of a pair does not matter.
Variable soft_score(const Variable& match, const Lengths& lengths);

/// The gradient of soft_score with respect to `match`, and of its shape: how likely each pair of
/// letters is aligned, where the probability of an alignment is in proportion to e^(sum of its
/// match scores). On a tape it is differentiable, as every derivative.
Variable expected_alignment(const Variable& match, const Lengths& lengths);

}  // namespace alignment
