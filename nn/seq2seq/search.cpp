#include <autograd/tensor/error.hpp>
#include <nn/seq2seq/search.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// What `next` returned, checked.
class LogProbabilities {
 public:
  LogProbabilities(const char* name, const Tensor& values, std::size_t hypotheses, Index end)
      : name_(name) {
    if (!values.defined() || values.rank() != 2 || !is_floating(values.dtype()) ||
        values.size(0) != static_cast<Index>(hypotheses))
      throw ShapeError(name_ + ": the log-probabilities are " + describe(values) +
                       ", they must be floating [" + std::to_string(hypotheses) +
                       ",V], a row for each hypothesis");
    symbols_ = values.size(1);
    if (end < 0 || end >= symbols_)
      throw ArgumentError(name_ + ": the end symbol is " + std::to_string(end) +
                          ", which is none of the " + std::to_string(symbols_) +
                          " symbols; without an end no sequence would be complete");
    values_ = values.to_vector<double>();
    if (std::any_of(values_.begin(), values_.end(), [](double p) { return std::isnan(p); }))
      throw ArgumentError(name_ + ": a log-probability is NaN; look for its cause in the model");
  }

  Index symbols() const { return symbols_; }
  double at(Index row, Index symbol) const {
    return values_[static_cast<std::size_t>(row * symbols_ + symbol)];
  }

 private:
  std::string name_;
  Index symbols_ = 0;
  std::vector<double> values_;
};

void check_arguments(const std::string& name, Index batch, Index max_length) {
  if (batch < 0)
    throw ArgumentError(name + ": the batch must not be negative, it is " + std::to_string(batch));
  if (max_length < 1)
    throw ArgumentError(name + ": max_length must be at least 1, it is " +
                        std::to_string(max_length));
}

/// An extension of a hypothesis by one symbol.
struct Candidate {
  std::size_t hypothesis;
  Index symbol;
  double log_probability;
};

/// The beam of one sequence.
class Beam {
 public:
  explicit Beam(const BeamSearchOptions& options) : options_(options) {}

  /// The hypotheses to extend; each is at a row of the last call of `next`.
  const std::vector<Hypothesis>& live() const { return live_; }

  /// Extends the live hypotheses, of which the first is at `first_row`. Appends the symbol and the
  /// row of each that lives on.
  void extend(const LogProbabilities& next, Index first_row, Index end, std::vector<Index>& symbols,
              std::vector<Index>& rows) {
    std::vector<Hypothesis> extended;
    for (const Candidate& best : best_extensions(next, first_row)) {
      Hypothesis hypothesis = live_[best.hypothesis];
      hypothesis.log_probability = best.log_probability;
      if (best.symbol == end) {
        hypothesis.ended = true;
        retire(std::move(hypothesis));
        continue;
      }
      hypothesis.symbols.push_back(best.symbol);
      extended.push_back(std::move(hypothesis));
      symbols.push_back(best.symbol);
      rows.push_back(first_row + static_cast<Index>(best.hypothesis));
    }
    if (extended.empty()) keep_what_cannot_go_on();
    live_ = std::move(extended);
    if (!is_settled()) return;
    symbols.resize(symbols.size() - live_.size());
    rows.resize(rows.size() - live_.size());
    live_.clear();
  }

  std::vector<Hypothesis> results() && {
    for (Hypothesis& hypothesis : live_) retire(std::move(hypothesis));
    return std::move(retired_);
  }

 private:
  double score(double log_probability, std::size_t length) const {
    return log_probability /
           std::pow((5.0 + static_cast<double>(length)) / 6.0, options_.length_penalty);
  }

  std::size_t width() const { return static_cast<std::size_t>(options_.width); }

  std::vector<Candidate> best_extensions(const LogProbabilities& next, Index first_row) const {
    std::vector<Candidate> candidates;
    for (std::size_t k = 0; k < live_.size(); ++k)
      for (Index symbol = 0; symbol < next.symbols(); ++symbol) {
        const double p = next.at(first_row + static_cast<Index>(k), symbol);
        if (p > -std::numeric_limits<double>::infinity())
          candidates.push_back({k, symbol, live_[k].log_probability + p});
      }
    const std::size_t count = std::min(width(), candidates.size());
    const auto is_better = [](const Candidate& a, const Candidate& b) {
      if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
      return std::pair(a.hypothesis, a.symbol) < std::pair(b.hypothesis, b.symbol);
    };
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
                      candidates.end(), is_better);
    candidates.resize(count);
    return candidates;
  }

  void retire(Hypothesis hypothesis) {
    hypothesis.score =
        score(hypothesis.log_probability, hypothesis.symbols.size() + (hypothesis.ended ? 1 : 0));
    const auto before = [](const Hypothesis& a, const Hypothesis& b) {
      return a.ended != b.ended ? a.ended : a.score > b.score;
    };
    retired_.insert(std::upper_bound(retired_.begin(), retired_.end(), hypothesis, before),
                    std::move(hypothesis));
    if (retired_.size() > width()) retired_.pop_back();
  }

  /// A step from which nothing lives on leaves its hypotheses as results, unless some have ended.
  void keep_what_cannot_go_on() {
    if (retired_.empty())
      for (Hypothesis& hypothesis : live_) retire(std::move(hypothesis));
  }

  /// True when no live hypothesis can get among the results any more: its log-probability can only
  /// fall, and the penalty is largest at the full length.
  bool is_settled() const {
    if (live_.empty() || retired_.size() < width()) return false;
    const double highest =
        score(live_.front().log_probability, static_cast<std::size_t>(options_.max_length));
    return retired_.back().ended && highest <= retired_.back().score;
  }

  BeamSearchOptions options_;
  std::vector<Hypothesis> live_{Hypothesis{}};
  std::vector<Hypothesis> retired_;  // the best first
};

}  // namespace

std::vector<Hypothesis> greedy_search(const NextSymbols& next, Index batch,
                                      const SequenceMarks& marks,
                                      const GreedySearchOptions& options) {
  check_arguments("greedy_search", batch, options.max_length);
  std::vector<Hypothesis> results(static_cast<std::size_t>(batch));
  std::vector<Index> symbols(results.size(), marks.start), rows(results.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::vector<Index> sequences = rows;  // the sequence of each row
  for (Index step = 0; step < options.max_length && !rows.empty(); ++step) {
    const LogProbabilities log_p("greedy_search", next(symbols, rows), rows.size(), marks.end);
    symbols.clear();
    rows.clear();
    std::vector<Index> going_on;
    for (std::size_t k = 0; k < sequences.size(); ++k) {
      const Index row = static_cast<Index>(k);
      Index best = 0;
      for (Index symbol = 1; symbol < log_p.symbols(); ++symbol)
        if (log_p.at(row, symbol) > log_p.at(row, best)) best = symbol;
      if (log_p.at(row, best) == -std::numeric_limits<double>::infinity()) continue;
      Hypothesis& result = results[static_cast<std::size_t>(sequences[k])];
      result.score = result.log_probability += log_p.at(row, best);
      result.ended = best == marks.end;
      if (result.ended) continue;
      result.symbols.push_back(best);
      symbols.push_back(best);
      rows.push_back(row);
      going_on.push_back(sequences[k]);
    }
    sequences = std::move(going_on);
  }
  return results;
}

std::vector<std::vector<Hypothesis>> beam_search(const NextSymbols& next, Index batch,
                                                 const SequenceMarks& marks,
                                                 const BeamSearchOptions& options) {
  check_arguments("beam_search", batch, options.max_length);
  if (options.width < 1)
    throw ArgumentError("beam_search: the width must be at least 1, it is " +
                        std::to_string(options.width));
  if (!(options.length_penalty >= 0.0 && std::isfinite(options.length_penalty)))
    throw ArgumentError("beam_search: the length penalty must not be negative, it is " +
                        std::to_string(options.length_penalty));
  std::vector<Beam> beams(static_cast<std::size_t>(batch), Beam(options));
  std::vector<Index> symbols(beams.size(), marks.start), rows(beams.size());
  std::iota(rows.begin(), rows.end(), 0);
  for (Index step = 0; step < options.max_length && !rows.empty(); ++step) {
    const LogProbabilities log_p("beam_search", next(symbols, rows), rows.size(), marks.end);
    symbols.clear();
    rows.clear();
    Index first_row = 0;
    for (Beam& beam : beams) {
      const Index count = static_cast<Index>(beam.live().size());
      if (count > 0) beam.extend(log_p, first_row, marks.end, symbols, rows);
      first_row += count;
    }
  }
  std::vector<std::vector<Hypothesis>> results;
  results.reserve(beams.size());
  for (Beam& beam : beams) results.push_back(std::move(beam).results());
  return results;
}

}  // namespace unroll::nn
