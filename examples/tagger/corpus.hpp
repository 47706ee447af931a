#pragma once

#include <string>
#include <vector>

namespace tagger {

/// Words and their parts of speech, as many of each.
struct Sentence {
  std::vector<std::string> words, tags;
};

using Corpus = std::vector<Sentence>;

/// The columns FORM and UPOS of a file in the format CoNLL-U (universaldependencies.org). Comments,
/// the ranges of multiword tokens (3-4) and empty nodes (5.1) are passed over: their words have no
/// tag. Throws FormatError that names file and line for a line without ten columns, an ID out of
/// turn, an empty FORM and a UPOS that is missing or no upper-case name, and for a file that cannot
/// be read or holds no sentence.
Corpus read_conllu(const std::string& path);

}  // namespace tagger
