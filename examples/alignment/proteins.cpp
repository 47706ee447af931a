#include "proteins.hpp"

#include <array>

namespace alignment {
namespace {

using unroll::Generator;

// Of kAminoAcids: aliphatic AVILMC, aromatic FWYH, polar STNQ, acidic DE, basic KR, special GP.
constexpr std::array<Index, 7> kGroupBegin{0, 6, 10, 14, 16, 18, 20};
constexpr Index kHydrophobic = 9;  // so many letters come first

struct Site {
  Index letter;
  bool core;
};

/// An amino acid of a core is hydrophobic in four cases of five, of a loop in one of five.
Index background(bool core, Generator& generator) {
  const bool hydrophobic = generator.uniform() < (core ? 0.8 : 0.2);
  const Index begin = hydrophobic ? 0 : kHydrophobic, end = hydrophobic ? kHydrophobic : 20;
  return begin + static_cast<Index>(generator.below(static_cast<std::uint64_t>(end - begin)));
}

Index changed(const Site& site, Generator& generator) {
  if (generator.uniform() < 0.3) return background(site.core, generator);
  std::size_t group = 0;
  while (kGroupBegin[group + 1] <= site.letter) ++group;
  const Index size = kGroupBegin[group + 1] - kGroupBegin[group];
  return kGroupBegin[group] + static_cast<Index>(generator.below(static_cast<std::uint64_t>(size)));
}

/// 1, 2, ... with this mean.
Index geometric(double mean, Generator& generator) {
  Index count = 1;
  while (generator.uniform() > 1.0 / mean) ++count;
  return count;
}

std::vector<Site> random_protein(Generator& generator) {
  std::vector<Site> sites;
  const auto segments = 3 + generator.below(3);
  for (std::uint64_t k = 0; k < segments; ++k) {
    const bool core = k % 2 == 0;
    for (Index left = 3 + geometric(5.0, generator); left > 0; --left)
      sites.push_back({background(core, generator), core});
  }
  return sites;
}

struct Descendant {
  std::vector<Index> letters;
  std::vector<Index> position;  // of each site of the ancestor, or -1
};

Descendant descendant(const std::vector<Site>& ancestor, Generator& generator) {
  Descendant result;
  Index deleted = 0;  // so many sites are still to go
  for (const Site& site : ancestor) {
    if (!site.core && generator.uniform() < 0.08)
      for (Index left = geometric(2.5, generator); left > 0; --left)
        result.letters.push_back(background(false, generator));
    if (!site.core && generator.uniform() < 0.08) deleted = geometric(2.5, generator);
    if (site.core) deleted = 0;
    const bool stays = deleted == 0;
    result.position.push_back(stays ? static_cast<Index>(result.letters.size()) : -1);
    if (stays) {
      const bool changes = generator.uniform() < (site.core ? 0.45 : 0.6);
      result.letters.push_back(changes ? changed(site, generator) : site.letter);
    } else {
      --deleted;
    }
  }
  return result;
}

}  // namespace

Family random_family(Index longest, Generator& generator) {
  while (true) {
    const std::vector<Site> ancestor = random_protein(generator);
    const Descendant x = descendant(ancestor, generator), y = descendant(ancestor, generator);
    Family family{x.letters, y.letters, {}};
    for (std::size_t site = 0; site < ancestor.size(); ++site)
      if (x.position[site] >= 0 && y.position[site] >= 0)
        family.aligned.emplace_back(x.position[site], y.position[site]);
    const auto fits = [&](const auto& letters) {
      return static_cast<Index>(letters.size()) <= longest;
    };
    if (fits(family.x) && fits(family.y) && !family.aligned.empty()) return family;
  }
}

}  // namespace alignment
