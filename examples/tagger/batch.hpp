#pragma once

#include <autograd/tensor/tensor.hpp>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "corpus.hpp"

namespace tagger {

/// The words and tags of a corpus as numbers. Word 0 stands for every word that the corpus has once
/// or never.
class Vocabulary {
 public:
  explicit Vocabulary(std::span<const Sentence> corpus);

  unroll::Index words() const { return static_cast<unroll::Index>(words_.size()) + 1; }
  unroll::Index word(const std::string& word) const;
  const std::vector<std::string>& tags() const { return tags_; }
  /// Batch::kNoTag for a tag that the corpus does not have.
  unroll::Index tag(const std::string& tag) const;

 private:
  std::map<std::string, unroll::Index> words_, tag_numbers_;
  std::vector<std::string> tags_;
};

/// Sentences side by side.
struct Batch {
  static constexpr unroll::Index kNoTag = -100;  ///< what cross_entropy ignores

  Batch(std::span<const Sentence> sentences, const Vocabulary& vocabulary);

  unroll::Tensor words, tags;  ///< [T,B]; past the end of a sentence word 0 and kNoTag
  std::vector<unroll::Index> lengths;
};

}  // namespace tagger
