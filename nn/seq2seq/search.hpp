#pragma once

#include <autograd/tensor/tensor.hpp>

#include <functional>
#include <vector>

/// Searches for the most probable sequence of a model that predicts symbol after symbol. They know
/// nothing of the model but its log-probabilities.
namespace unroll::nn {

/// The symbols that a sequence is generated between. They may be one and the same.
struct SequenceMarks {
  Index start = -1;  ///< read before the first symbol
  Index end = -1;    ///< behind the last
};

/// Log-probabilities `[n,V]` of the symbols that may follow each of n hypotheses. Hypothesis k is
/// the one of row `rows[k]` of the call before, with `symbols[k]` appended; in the first call it is
/// sequence `rows[k]` of the batch with the start symbol. float32 or float64; -infinity excludes a
/// symbol. A model keeps its states between calls and selects those of `rows`.
using NextSymbols =
    std::function<Tensor(const std::vector<Index>& symbols, const std::vector<Index>& rows)>;

/// A sequence that was found.
struct Hypothesis {
  std::vector<Index> symbols;    ///< without start and end
  double log_probability = 0.0;  ///< of the symbols, and of the end if `ended`
  double score = 0.0;            ///< log_probability / length penalty
  bool ended = false;            ///< false: cut off at max_length, or nothing may follow
};

struct GreedySearchOptions {
  Index max_length = 100;  ///< symbols to generate at most, the end included
};

/// Takes the most probable symbol at each step, the first of equals, until the end. One result for
/// each of `batch` sequences. Throws ArgumentError when the end is no symbol of 0..V-1, max_length
/// is below 1 or there is a NaN; ShapeError when `next` returns another shape than `[n,V]`.
std::vector<Hypothesis> greedy_search(const NextSymbols& next, Index batch,
                                      const SequenceMarks& marks,
                                      const GreedySearchOptions& options = {});

struct BeamSearchOptions {
  Index width = 4;              ///< hypotheses kept at each step
  double length_penalty = 0.0;  ///< alpha, not negative; the larger, the longer the results
  Index max_length = 100;       ///< symbols to generate at most, the end included
};

/// Beam search: keeps, at each step, the `width` most probable extensions of all hypotheses kept
/// before. Those that end retire. What ended is ranked by its score, with the length penalty of
/// Wu et al., Google's neural machine translation system, 2016, equation 14:
///
///     score(Y) = log p(Y) / lp(Y)        lp(Y) = ((5 + |Y|) / 6)^alpha
///
/// where |Y| counts the end too. For each of `batch` sequences up to `width` results, the best
/// first; those that did not end stand behind those that did. A sequence is done when nothing is
/// left to extend, or when no extension can still get among its results. Width 1 is greedy_search.
/// Throws as greedy_search does, and ArgumentError for a width below 1 or a negative penalty.
std::vector<std::vector<Hypothesis>> beam_search(const NextSymbols& next, Index batch,
                                                 const SequenceMarks& marks,
                                                 const BeamSearchOptions& options = {});

}  // namespace unroll::nn
