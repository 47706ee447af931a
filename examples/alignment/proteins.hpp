#pragma once

#include <autograd/tensor/random.hpp>

#include <string>
#include <utility>
#include <vector>

namespace alignment {

using unroll::Index;

/// The letters of the twenty amino acids; a sequence holds their positions in this string.
inline const std::string kAminoAcids = "AVILMCFWYHSTNQDEKRGP";

/// Positions of letters that are aligned, in increasing order: x[i] with y[j].
using Pairs = std::vector<std::pair<Index, Index>>;

/// Two proteins and their true alignment.
struct Family {
  std::vector<Index> x, y;
  Pairs aligned;
};

/// Two descendants of a random protein. In a core, of mostly hydrophobic amino acids, few sites
/// change and nothing is inserted or deleted; in the loops between the cores, of mostly the others,
/// many sites change and stretches come and go. An amino acid changes mostly into another of its
/// own group (aliphatic, aromatic, polar, acidic, basic, special), as in real proteins, though none
/// of the numbers is from real ones. Letters with a common ancestor are aligned. Both have 1 to
/// `longest` letters, at least one pair.
Family random_family(Index longest, unroll::Generator& generator = unroll::default_generator());

}  // namespace alignment
