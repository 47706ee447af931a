#pragma once

#include <span>
#include <vector>

#include "proteins.hpp"

namespace alignment {

/// A score for each pair of amino acids, [20][20].
using Scores = std::vector<std::vector<double>>;

/// 1 for equal letters, -1 for different ones.
Scores identity_scores();

/// The logarithm of how much more often two amino acids are aligned than chance would have it,
/// counted from true alignments: how the BLOSUM matrices were made (Henikoff and Henikoff, 1992).
Scores log_odds(std::span<const Family> families);

/// The alignment with the largest sum of scores, less `gap` for each letter of a gap (Needleman and
/// Wunsch, 1970).
Pairs needleman_wunsch(const Family& family, const Scores& scores, double gap);

/// Over many alignments: the harmonic mean of the fraction of true pairs that were found and the
/// fraction of found pairs that are true.
struct Quality {
  double true_pairs = 0.0, found = 0.0, both = 0.0;

  void add(const Pairs& aligned, const Pairs& prediction);
  double recall() const { return both / true_pairs; }
  double precision() const { return found == 0.0 ? 0.0 : both / found; }
  double f1() const { return 2.0 * both / (true_pairs + found); }
};

/// The quality of needleman_wunsch on `test` with the gap cost that serves `learnt` best.
Quality with_best_gap(const Scores& scores, std::span<const Family> learnt,
                      std::span<const Family> test);

}  // namespace alignment
