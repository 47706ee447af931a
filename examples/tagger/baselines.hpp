#pragma once

#include <string>
#include <vector>

#include "batch.hpp"
#include "corpus.hpp"
#include "grammar.hpp"

/// What a tagger is compared with.
namespace tagger {

using Tags = std::vector<std::vector<std::string>>;  // of each sentence

/// Each word the tag that it has most often, whatever stands around it.
Tags most_frequent_tags(const Corpus& learnt, const Corpus& corpus, const Vocabulary& vocabulary);

/// The tags of the largest posterior probability: no tagger that has the same words is right more
/// often. `posterior`: a function of Grammar.
Tags best_tags(const Grammar& grammar, const Corpus& corpus,
               Grammar::Posterior (Grammar::*posterior)(const std::vector<std::string>&) const);

/// The fraction of words whose tag is right.
double accuracy(const Tags& tags, const Corpus& corpus);

}  // namespace tagger
