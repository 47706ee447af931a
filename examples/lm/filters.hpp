#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lm {

/// How the distribution of the next symbol is changed before a symbol is drawn. Applied in the
/// order of the members; each filter sees what the one before it kept.
struct FilterOptions {
  /// Divides positive logits of symbols that occurred before by this factor and multiplies negative
  /// ones (Keskar et al., CTRL, 2019, section 4.1). Above 0; 1: none.
  double repetition_penalty = 1.0;
  /// Divides all logits. Not negative; 0: the most probable symbol alone.
  double temperature = 0.8;
  /// Keeps the k most probable symbols (Fan et al., 2018). 0, or more than there are: all.
  std::int64_t top_k = 0;
  /// Keeps the fewest most probable symbols whose probabilities reach this sum (Holtzman et al.,
  /// The curious case of neural text degeneration, 2020). Above 0; 1: all.
  double top_p = 1.0;
  /// Keeps the symbols at least this fraction as probable as the most probable one (Nguyen et al.,
  /// Min-p sampling, 2024). From 0, none removed, to 1.
  double min_p = 0.0;
};

/// Weights to draw the next symbol by, in proportion to its probabilities; 0 for what is filtered
/// out. The most probable symbol always stays and has weight 1. Of equally probable symbols those
/// with the lower number count as more probable. `seen`: symbols that occurred before, in any order
/// and number. Throws ArgumentError for an option outside its range, no logits, a logit that is not
/// finite and a symbol that does not exist.
std::vector<double> filter(std::span<const double> logits, std::span<const std::int32_t> seen,
                           const FilterOptions& options);

}  // namespace lm
