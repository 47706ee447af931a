#pragma once

#include <autograd/tensor/random.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "corpus.hpp"

namespace tagger {

/// A hidden Markov model of simple English sentences: a tag follows the tag before, a word is drawn
/// for its tag. Many words have several tags: flies, like, light. Since the model is known, so is
/// what can be known of the tags.
class Grammar {
 public:
  /// P(tag | words) of each word, in the order of tags().
  using Posterior = std::vector<std::vector<double>>;

  Grammar();

  const std::vector<std::string>& tags() const { return tags_; }
  Sentence sample(unroll::Generator& generator = unroll::default_generator()) const;

  /// Given the words up to each one, by the forward recursion. The largest probability of each word
  /// is the chance of the best guess to be right. Throws ArgumentError for a word that the grammar
  /// does not know, or a sentence that it cannot produce.
  Posterior given_the_words_so_far(const std::vector<std::string>& words) const;
  /// Given the whole sentence, by the forward-backward algorithm.
  Posterior given_all_words(const std::vector<std::string>& words) const;

 private:
  std::size_t tag_number(const std::string& tag) const;
  const std::vector<double>& emission(const std::string& word) const;

  std::vector<std::string> tags_;
  std::vector<double> start_;                    // [tags]
  std::vector<std::vector<double>> transition_;  // [tags][tags], from and to
  std::vector<std::string> words_;
  std::map<std::string, std::vector<double>> given_;  // P(word | tag), [tags] for each word
};

}  // namespace tagger
