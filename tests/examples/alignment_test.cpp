// The parts of the example alignment: the smooth dynamic programme against a sum over all
// alignments, the classical one against the best of them, and the random proteins.
#include <doctest/doctest.h>

#include <autograd/autograd.hpp>
#include <examples/alignment/needleman_wunsch.hpp>
#include <examples/alignment/proteins.hpp>
#include <examples/alignment/soft_alignment.hpp>
#include <nn/verify/check_cell.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <vector>

namespace unroll::testing {

using namespace alignment;

namespace {

/// Calls `visit` with every path from (0,0) to (n,m) of matches and gaps.
void for_each_path(Index n, Index m, const std::function<void(const Pairs&)>& visit) {
  Pairs pairs;
  const std::function<void(Index, Index)> go = [&](Index i, Index j) {
    if (i == n && j == m) return visit(pairs);
    if (i < n && j < m) {
      pairs.emplace_back(i, j);
      go(i + 1, j + 1);
      pairs.pop_back();
    }
    if (i < n) go(i + 1, j);
    if (j < m) go(i, j + 1);
  };
  go(0, 0);
}

double score_of(const Pairs& pairs, const Tensor& match) {
  double sum = 0.0;
  for (const auto& [i, j] : pairs) sum += match.at({i, j});
  return sum;
}

}  // namespace

TEST_CASE("the soft score and its gradient are sums over all alignments, whatever the lengths") {
  const Lengths lengths{{4, 1, 3, 2}, {3, 5, 5, 1}};
  const Tensor match = normal({4, 4, 5}, 0.0, 2.0, Dtype::float64);
  const Tensor score = soft_score(match, lengths).value();
  const Tensor expected = expected_alignment(match, lengths).value();
  REQUIRE(score.shape() == Shape{4});
  REQUIRE(expected.shape() == match.shape());
  for (std::size_t b = 0; b < 4; ++b) {
    const Tensor own = match.select(0, static_cast<Index>(b));
    double sum = 0.0;
    std::vector<double> aligned(20, 0.0);
    for_each_path(lengths.first[b], lengths.second[b], [&](const Pairs& pairs) {
      const double weight = std::exp(score_of(pairs, own));
      sum += weight;
      for (const auto& [i, j] : pairs) aligned[static_cast<std::size_t>(i * 5 + j)] += weight;
    });
    CHECK(score.at({static_cast<Index>(b)}) == doctest::Approx(std::log(sum)).epsilon(1e-12));
    for (Index i = 0; i < 4; ++i)
      for (Index j = 0; j < 5; ++j)
        CHECK(std::abs(expected.at({static_cast<Index>(b), i, j}) -
                       aligned[static_cast<std::size_t>(i * 5 + j)] / sum) < 1e-12);
  }
}

TEST_CASE("the expected alignment has right derivatives: those that training uses") {
  const Lengths lengths{{3, 2}, {2, 3}};
  const auto loss = [&](const Variable& match) {
    return sum(square(expected_alignment(match, lengths) - 0.3));
  };
  CHECK(gradcheck(loss, normal({2, 3, 3}, 0.0, 1.0, Dtype::float64)));
}

TEST_CASE("the smooth dynamic programme is a cell as any other") {
  const nn::CellReport report = nn::check_cell(SoftAlignment(3));
  CHECK_MESSAGE(report, report.to_string());
}

TEST_CASE("expected alignments of float32 and long sequences are probabilities") {
  const Lengths lengths{{48, 30}, {41, 48}};
  const Tensor expected = expected_alignment(normal({2, 48, 48}, 0.0, 5.0), lengths).value();
  for (const double p : expected.to_vector<double>()) {
    CHECK(p >= 0.0);
    CHECK(p <= 1.0 + 1e-5);
  }
  for (const double p : sum(expected, {1}).value().to_vector<double>()) CHECK(p <= 1.0 + 1e-4);
  CHECK(expected.at({0, 0, 45}) == 0.0);  // past the end
}

TEST_CASE("the alignment of Needleman and Wunsch has the largest score of all") {
  Generator generator(1);
  Scores scores(20, std::vector<double>(20));
  for (auto& row : scores)
    for (double& score : row) score = 4.0 * generator.uniform() - 2.0;
  for (int k = 0; k < 20; ++k) {
    Family family;
    for (std::uint64_t left = 1 + generator.below(5); left > 0; --left)
      family.x.push_back(static_cast<Index>(generator.below(20)));
    for (std::uint64_t left = 1 + generator.below(5); left > 0; --left)
      family.y.push_back(static_cast<Index>(generator.below(20)));
    const auto score = [&](const Pairs& pairs) {
      double sum = -0.7 * static_cast<double>(family.x.size() + family.y.size());
      for (const auto& [i, j] : pairs)
        sum += 1.4 + scores[static_cast<std::size_t>(family.x[static_cast<std::size_t>(i)])]
                           [static_cast<std::size_t>(family.y[static_cast<std::size_t>(j)])];
      return sum;
    };
    double best = -1e9;
    for_each_path(static_cast<Index>(family.x.size()), static_cast<Index>(family.y.size()),
                  [&](const Pairs& pairs) { best = std::max(best, score(pairs)); });
    CHECK(score(needleman_wunsch(family, scores, 0.7)) == doctest::Approx(best));
  }
}

TEST_CASE("two proteins are aligned in order, and more alike where they are aligned") {
  Generator generator(2);
  double pairs = 0.0, equal = 0.0;
  for (int k = 0; k < 200; ++k) {
    const Family family = random_family(48, generator);
    REQUIRE(!family.aligned.empty());
    for (const auto* letters : {&family.x, &family.y}) {
      CHECK(letters->size() <= 48);
      CHECK(*std::min_element(letters->begin(), letters->end()) >= 0);
      CHECK(*std::max_element(letters->begin(), letters->end()) < 20);
    }
    for (std::size_t p = 0; p < family.aligned.size(); ++p) {
      const auto [i, j] = family.aligned[p];
      REQUIRE(i < static_cast<Index>(family.x.size()));
      REQUIRE(j < static_cast<Index>(family.y.size()));
      if (p > 0) CHECK(i > family.aligned[p - 1].first);
      if (p > 0) CHECK(j > family.aligned[p - 1].second);
      pairs += 1.0;
      equal += family.x[static_cast<std::size_t>(i)] == family.y[static_cast<std::size_t>(j)];
    }
  }
  CHECK(equal / pairs > 0.3);  // by chance about 0.07
  CHECK(equal / pairs < 0.7);
}

TEST_CASE("log odds are symmetric, largest for equal letters, larger within a group than across") {
  Generator generator(3);
  std::vector<Family> families;
  for (int k = 0; k < 500; ++k) families.push_back(random_family(48, generator));
  const Scores scores = log_odds(families);
  for (std::size_t a = 0; a < 20; ++a)
    for (std::size_t b = 0; b < 20; ++b) {
      CHECK(scores[a][b] == doctest::Approx(scores[b][a]));
      if (a != b) CHECK(scores[a][a] > scores[a][b]);
    }
  const auto score = [&](char a, char b) {
    return scores[kAminoAcids.find(a)][kAminoAcids.find(b)];
  };
  CHECK(score('D', 'E') > score('D', 'K'));
  CHECK(score('I', 'L') > score('I', 'W'));
  CHECK(score('D', 'L') < 0.0);
}

TEST_CASE("the quality of alignments counts pairs that are true, found, and both") {
  Quality quality;
  quality.add({{0, 0}, {1, 1}, {2, 2}}, {{0, 0}, {1, 2}});
  quality.add({{0, 1}}, {{0, 1}});
  CHECK(quality.recall() == 0.5);
  CHECK(quality.precision() == doctest::Approx(2.0 / 3.0));
  CHECK(quality.f1() == doctest::Approx(4.0 / 7.0));
  CHECK(Quality().precision() == 0.0);

  // Gaps that cost nothing, or too much, lose true pairs.
  Generator generator(4);
  std::vector<Family> families;
  for (int k = 0; k < 50; ++k) families.push_back(random_family(48, generator));
  const Scores scores = log_odds(families);
  Quality free;
  for (const Family& family : families)
    free.add(family.aligned, needleman_wunsch(family, scores, 0.0));
  CHECK(with_best_gap(scores, families, families).f1() > free.f1());
}

}  // namespace unroll::testing
