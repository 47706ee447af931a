#include "batch.hpp"

#include <algorithm>

namespace tagger {

using unroll::Index;

Vocabulary::Vocabulary(std::span<const Sentence> corpus) {
  std::map<std::string, int> counts;
  for (const Sentence& sentence : corpus) {
    for (const std::string& word : sentence.words)
      if (++counts[word] == 2) words_.emplace(word, words());
    for (const std::string& tag : sentence.tags)
      if (tag_numbers_.emplace(tag, static_cast<Index>(tags_.size())).second) tags_.push_back(tag);
  }
}

Index Vocabulary::word(const std::string& word) const {
  const auto found = words_.find(word);
  return found == words_.end() ? 0 : found->second;
}

Index Vocabulary::tag(const std::string& tag) const {
  const auto found = tag_numbers_.find(tag);
  return found == tag_numbers_.end() ? Batch::kNoTag : found->second;
}

Batch::Batch(std::span<const Sentence> sentences, const Vocabulary& vocabulary) {
  for (const Sentence& sentence : sentences)
    lengths.push_back(static_cast<Index>(sentence.words.size()));
  const std::size_t count = sentences.size();
  const Index steps = *std::max_element(lengths.begin(), lengths.end());
  std::vector<Index> word_numbers(static_cast<std::size_t>(steps) * count, 0);
  std::vector<Index> tag_numbers(word_numbers.size(), kNoTag);
  for (std::size_t b = 0; b < count; ++b)
    for (std::size_t t = 0; t < sentences[b].words.size(); ++t) {
      word_numbers[t * count + b] = vocabulary.word(sentences[b].words[t]);
      tag_numbers[t * count + b] = vocabulary.tag(sentences[b].tags[t]);
    }
  const unroll::Shape shape{steps, static_cast<Index>(count)};
  words = unroll::Tensor::of(shape, word_numbers);
  tags = unroll::Tensor::of(shape, tag_numbers);
}

}  // namespace tagger
