// Greedy and beam search over a model that is a table: against enumeration, and each other.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/seq2seq/search.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "support/expect.hpp"

namespace unroll::testing {
namespace {

constexpr Index kSymbols = 4, kStart = 0, kEnd = 3;
constexpr nn::SequenceMarks kMarks{.start = kStart, .end = kEnd};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Prefix = std::vector<Index>;

/// Log-probabilities that depend on everything before, drawn for each prefix anew.
std::vector<double> after(std::uint64_t model, const Prefix& prefix) {
  std::uint64_t number = model;
  for (const Index symbol : prefix) number = number * 31 + static_cast<std::uint64_t>(symbol) + 1;
  Generator generator(number);
  const Tensor logits = normal({kSymbols}, 0.0, 1.5, Dtype::float64, generator);
  return log_softmax(logits).value().to_vector<double>();
}

/// Sequence b of the batch belongs to model `first + b`. Keeps the prefix of each row.
nn::NextSymbols table(std::uint64_t first, Index batch, std::vector<Index>* calls = nullptr) {
  struct Row {
    std::uint64_t model;
    Prefix prefix;
  };
  std::vector<Row> state;
  for (Index b = 0; b < batch; ++b) state.push_back({first + static_cast<std::uint64_t>(b), {}});
  return [state, calls](const std::vector<Index>& symbols, const std::vector<Index>& rows) mutable {
    std::vector<Row> next;
    std::vector<double> values;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      next.push_back(state.at(static_cast<std::size_t>(rows[k])));
      next.back().prefix.push_back(symbols[k]);
      const std::vector<double> row = after(next.back().model, next.back().prefix);
      values.insert(values.end(), row.begin(), row.end());
    }
    state = next;
    if (calls) calls->push_back(static_cast<Index>(rows.size()));
    return Tensor::of<double>({static_cast<Index>(rows.size()), kSymbols}, values);
  };
}

double penalty(double alpha, std::size_t length) {
  return std::pow((5.0 + static_cast<double>(length)) / 6.0, alpha);
}

/// The best sequence that ends within `max_length` symbols, by trying all.
nn::Hypothesis enumerated(std::uint64_t model, double alpha, std::size_t max_length) {
  nn::Hypothesis best;
  best.score = -kInfinity;
  std::vector<nn::Hypothesis> open{nn::Hypothesis{}};
  for (std::size_t length = 1; length <= max_length; ++length) {
    std::vector<nn::Hypothesis> longer;
    for (const nn::Hypothesis& hypothesis : open) {
      Prefix prefix{kStart};
      prefix.insert(prefix.end(), hypothesis.symbols.begin(), hypothesis.symbols.end());
      const std::vector<double> log_p = after(model, prefix);
      for (Index symbol = 0; symbol < kSymbols; ++symbol) {
        nn::Hypothesis next = hypothesis;
        next.log_probability += log_p[static_cast<std::size_t>(symbol)];
        if (symbol != kEnd) {
          next.symbols.push_back(symbol);
          longer.push_back(next);
          continue;
        }
        next.score = next.log_probability / penalty(alpha, length);
        if (next.score > best.score) best = next;
      }
    }
    open = longer;
  }
  return best;
}

}  // namespace

TEST_CASE("a beam of full width finds the best sequence that there is") {
  std::size_t longer_with_penalty = 0;
  for (std::uint64_t model = 1; model <= 30; ++model)
    for (const double alpha : {0.0, 0.6, 2.0}) {
      CAPTURE(model);
      CAPTURE(alpha);
      const auto found = nn::beam_search(table(model, 1), 1, kMarks,
                                         {.width = 108, .length_penalty = alpha, .max_length = 4});
      const nn::Hypothesis best = enumerated(model, alpha, 4);
      REQUIRE(found.size() == 1);
      CHECK(found[0][0].ended);
      CHECK(found[0][0].symbols == best.symbols);
      CHECK(found[0][0].score == doctest::Approx(best.score).epsilon(1e-12));
      CHECK(found[0][0].log_probability == doctest::Approx(best.log_probability).epsilon(1e-12));
      CHECK(std::count_if(found[0].begin(), found[0].end(), [](auto& h) { return h.ended; }) ==
            40);  // 1 + 3 + 9 + 27 sequences end within four symbols
      if (alpha == 2.0 && best.symbols.size() > enumerated(model, 0.0, 4).symbols.size())
        ++longer_with_penalty;
    }
  CHECK(longer_with_penalty > 0);
}

TEST_CASE("a beam of width 1 is greedy search") {
  for (std::uint64_t model = 1; model <= 50; ++model)
    for (const Index max_length : {1, 3, 20}) {
      CAPTURE(model);
      const auto greedy = nn::greedy_search(table(model, 3), 3, kMarks, {.max_length = max_length});
      const auto beam =
          nn::beam_search(table(model, 3), 3, kMarks, {.width = 1, .max_length = max_length});
      for (std::size_t b = 0; b < 3; ++b) {
        REQUIRE(beam[b].size() == 1);
        CHECK(beam[b][0].symbols == greedy[b].symbols);
        CHECK(beam[b][0].ended == greedy[b].ended);
        CHECK(beam[b][0].log_probability == greedy[b].log_probability);
        CHECK(greedy[b].score == greedy[b].log_probability);
      }
    }
}

TEST_CASE("a sequence of a batch is searched as if it were alone") {
  for (const Index width : {1, 2, 5}) {
    const nn::BeamSearchOptions options{.width = width, .length_penalty = 0.8, .max_length = 6};
    const auto together = nn::beam_search(table(7, 4), 4, kMarks, options);
    REQUIRE(together.size() == 4);
    for (std::uint64_t b = 0; b < 4; ++b) {
      const auto alone = nn::beam_search(table(7 + b, 1), 1, kMarks, options)[0];
      REQUIRE(together[b].size() == alone.size());
      for (std::size_t k = 0; k < alone.size(); ++k) {
        CHECK(together[b][k].symbols == alone[k].symbols);
        CHECK(together[b][k].score == alone[k].score);
      }
    }
  }
}

TEST_CASE("results are ranked, no more than the width, and add up what the model said") {
  for (std::uint64_t model = 1; model <= 20; ++model) {
    const auto found = nn::beam_search(table(model, 1), 1, kMarks,
                                       {.width = 5, .length_penalty = 0.7, .max_length = 5})[0];
    CHECK(found.size() <= 5);
    for (std::size_t k = 0; k < found.size(); ++k) {
      const nn::Hypothesis& h = found[k];
      Prefix prefix{kStart};
      double log_p = 0.0;
      Prefix symbols = h.symbols;
      if (h.ended) symbols.push_back(kEnd);
      for (const Index symbol : symbols) {
        log_p += after(model, prefix)[static_cast<std::size_t>(symbol)];
        prefix.push_back(symbol);
      }
      CHECK(h.log_probability == doctest::Approx(log_p).epsilon(1e-12));
      CHECK(h.score == doctest::Approx(log_p / penalty(0.7, symbols.size())).epsilon(1e-12));
      if (k == 0) continue;
      CHECK(found[k - 1].ended >= h.ended);
      if (found[k - 1].ended == h.ended) CHECK(found[k - 1].score >= h.score);
    }
  }
}

TEST_CASE("a beam sees past the first symbol that greedy search falls for") {
  // 0.6: a, then all is open; 0.4: b, then the end for certain. V = {start a b end}.
  const auto next = [](const std::vector<Index>& symbols, const std::vector<Index>&) {
    std::vector<double> p;
    for (const Index symbol : symbols) {
      const std::vector<double> row = symbol == 0   ? std::vector<double>{0, 0.6, 0.4, 0}
                                      : symbol == 1 ? std::vector<double>{0.25, 0.25, 0.25, 0.25}
                                                    : std::vector<double>{0, 0, 0, 1};
      p.insert(p.end(), row.begin(), row.end());
    }
    return log(Tensor::of<double>({static_cast<Index>(symbols.size()), 4}, p)).value();
  };
  const auto beam = nn::beam_search(next, 1, kMarks, {.width = 2, .max_length = 3})[0];
  CHECK(beam[0].symbols == Prefix{2});
  CHECK(std::exp(beam[0].score) == doctest::Approx(0.4));
  CHECK(nn::greedy_search(next, 1, kMarks, {.max_length = 3})[0].symbols[0] == 1);
}

TEST_CASE("a search stops once no longer sequence can be better") {
  std::vector<Index> calls;
  const auto sure_to_end = [&calls](const std::vector<Index>& symbols, const std::vector<Index>&) {
    calls.push_back(static_cast<Index>(symbols.size()));
    std::vector<double> p;
    for (std::size_t k = 0; k < symbols.size(); ++k) p.insert(p.end(), {0.02, 0.02, 0.02, 0.94});
    return log(Tensor::of<double>({static_cast<Index>(symbols.size()), 4}, p)).value();
  };
  const auto found = nn::beam_search(sure_to_end, 1, kMarks, {.width = 3, .max_length = 1000})[0];
  CHECK(found[0].symbols.empty());
  CHECK(calls.size() < 5);
}

TEST_CASE("what has not ended by max_length is marked, and stands behind what has") {
  const auto never = [](const std::vector<Index>& symbols, const std::vector<Index>&) {
    std::vector<double> p;
    for (std::size_t k = 0; k < symbols.size(); ++k) p.insert(p.end(), {0.7, 0.3, 0.0, 0.0});
    return log(Tensor::of<double>({static_cast<Index>(symbols.size()), 4}, p)).value();
  };
  const auto beam = nn::beam_search(never, 1, kMarks, {.width = 2, .max_length = 3})[0];
  REQUIRE(beam.size() == 2);
  CHECK(beam[0].symbols == Prefix{0, 0, 0});
  CHECK_FALSE(beam[0].ended);
  const auto greedy = nn::greedy_search(never, 1, kMarks, {.max_length = 3});
  CHECK(greedy[0].symbols == Prefix{0, 0, 0});
  CHECK_FALSE(greedy[0].ended);
  const auto nothing = [](const std::vector<Index>& symbols, const std::vector<Index>&) {
    return full({static_cast<Index>(symbols.size()), 4}, -kInfinity);
  };
  CHECK(nn::beam_search(nothing, 2, kMarks)[1][0].symbols.empty());
  CHECK_FALSE(nn::beam_search(nothing, 2, kMarks)[1][0].ended);
  CHECK_FALSE(nn::greedy_search(nothing, 2, kMarks)[1].ended);
}

TEST_CASE("a search refuses an end that is no symbol, and arguments outside their range") {
  for (const Index end : {-1, 4}) {
    const nn::SequenceMarks marks{.start = 0, .end = end};
    expect_error<ArgumentError>([&] { nn::greedy_search(table(1, 1), 1, marks); },
                                {"greedy_search", "end symbol", std::to_string(end), "4 symbols"});
    expect_error<ArgumentError>([&] { nn::beam_search(table(1, 1), 1, marks); },
                                {"beam_search", "end symbol"});
  }
  expect_error<ArgumentError>([] { nn::beam_search(table(1, 1), 1, kMarks, {.width = 0}); },
                              {"width", "0"});
  expect_error<ArgumentError>(
      [] { nn::beam_search(table(1, 1), 1, kMarks, {.length_penalty = -0.5}); }, {"penalty"});
  expect_error<ArgumentError>([] { nn::beam_search(table(1, 1), 1, kMarks, {.max_length = 0}); },
                              {"max_length"});
  expect_error<ArgumentError>([] { nn::greedy_search(table(1, 1), -1, kMarks); }, {"batch"});
  const auto wrong = [](const auto&, const auto&) { return zeros({2, 4}); };
  expect_error<ShapeError>([&] { nn::greedy_search(wrong, 1, kMarks); }, {"[2,4]", "[1,V]"});
  const auto nan = [](const auto&, const auto&) { return full({1, 4}, std::nan("")); };
  expect_error<ArgumentError>([&] { nn::beam_search(nan, 1, kMarks); }, {"NaN"});
  CHECK(nn::beam_search(table(1, 0), 0, kMarks).empty());
}

}  // namespace unroll::testing
