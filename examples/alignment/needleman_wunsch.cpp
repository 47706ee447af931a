#include "needleman_wunsch.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace alignment {

Scores identity_scores() {
  Scores scores(kAminoAcids.size(), std::vector<double>(kAminoAcids.size(), -1.0));
  for (std::size_t k = 0; k < scores.size(); ++k) scores[k][k] = 1.0;
  return scores;
}

Scores log_odds(std::span<const Family> families) {
  const std::size_t letters = kAminoAcids.size();
  Scores count(letters, std::vector<double>(letters, 1.0));  // no pair is impossible
  for (const Family& family : families)
    for (const auto& [i, j] : family.aligned) {
      const auto a = static_cast<std::size_t>(family.x[static_cast<std::size_t>(i)]);
      const auto b = static_cast<std::size_t>(family.y[static_cast<std::size_t>(j)]);
      count[a][b] += 0.5;
      count[b][a] += 0.5;
    }
  std::vector<double> single(letters, 0.0);
  double all = 0.0;
  for (std::size_t a = 0; a < letters; ++a)
    for (std::size_t b = 0; b < letters; ++b) {
      single[a] += count[a][b];
      all += count[a][b];
    }
  for (std::size_t a = 0; a < letters; ++a)
    for (std::size_t b = 0; b < letters; ++b)
      count[a][b] = std::log(count[a][b] * all / (single[a] * single[b]));
  return count;
}

Pairs needleman_wunsch(const Family& family, const Scores& scores, double gap) {
  const std::size_t n = family.x.size(), m = family.y.size();
  const auto match = [&](std::size_t i, std::size_t j) {
    return scores[static_cast<std::size_t>(family.x[i - 1])]
                 [static_cast<std::size_t>(family.y[j - 1])];
  };
  std::vector<std::vector<double>> v(n + 1, std::vector<double>(m + 1));
  for (std::size_t i = 0; i <= n; ++i)
    for (std::size_t j = 0; j <= m; ++j)
      if (i == 0 || j == 0)
        v[i][j] = -gap * static_cast<double>(i + j);
      else
        v[i][j] = std::max({v[i - 1][j - 1] + match(i, j), v[i - 1][j] - gap, v[i][j - 1] - gap});
  Pairs pairs;
  for (std::size_t i = n, j = m; i > 0 && j > 0;)
    if (v[i][j] == v[i - 1][j - 1] + match(i, j)) {
      pairs.emplace_back(--i, --j);
    } else if (v[i][j] == v[i - 1][j] - gap) {
      --i;
    } else {
      --j;
    }
  std::reverse(pairs.begin(), pairs.end());
  return pairs;
}

void Quality::add(const Pairs& aligned, const Pairs& prediction) {
  Pairs common;
  std::set_intersection(aligned.begin(), aligned.end(), prediction.begin(), prediction.end(),
                        std::back_inserter(common));
  true_pairs += static_cast<double>(aligned.size());
  found += static_cast<double>(prediction.size());
  both += static_cast<double>(common.size());
}

Quality with_best_gap(const Scores& scores, std::span<const Family> learnt,
                      std::span<const Family> test) {
  const auto quality = [&](double gap, std::span<const Family> families) {
    Quality result;
    for (const Family& family : families)
      result.add(family.aligned, needleman_wunsch(family, scores, gap));
    return result;
  };
  double best_gap = 0.0, best = 0.0;
  for (double gap = 0.0; gap <= 3.0; gap += 0.25)
    if (const double f1 = quality(gap, learnt).f1(); f1 > best) {
      best = f1;
      best_gap = gap;
    }
  return quality(best_gap, test);
}

}  // namespace alignment
