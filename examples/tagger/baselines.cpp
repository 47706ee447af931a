#include "baselines.hpp"

#include <algorithm>
#include <iterator>
#include <map>

namespace tagger {

Tags most_frequent_tags(const Corpus& learnt, const Corpus& corpus, const Vocabulary& vocabulary) {
  std::map<unroll::Index, std::map<std::string, int>> counts;
  for (const Sentence& sentence : learnt)
    for (std::size_t t = 0; t < sentence.words.size(); ++t)
      ++counts[vocabulary.word(sentence.words[t])][sentence.tags[t]];
  Tags tags;
  for (const Sentence& sentence : corpus) {
    tags.emplace_back();
    for (const std::string& word : sentence.words) {
      const auto& of_word = counts[vocabulary.word(word)];
      const auto most = std::max_element(of_word.begin(), of_word.end(),
                                         [](auto& a, auto& b) { return a.second < b.second; });
      tags.back().push_back(most == of_word.end() ? vocabulary.tags()[0] : most->first);
    }
  }
  return tags;
}

Tags best_tags(const Grammar& grammar, const Corpus& corpus,
               Grammar::Posterior (Grammar::*posterior)(const std::vector<std::string>&) const) {
  Tags tags;
  for (const Sentence& sentence : corpus) {
    tags.emplace_back();
    for (const std::vector<double>& p : (grammar.*posterior)(sentence.words)) {
      const auto best = std::distance(p.begin(), std::max_element(p.begin(), p.end()));
      tags.back().push_back(grammar.tags()[static_cast<std::size_t>(best)]);
    }
  }
  return tags;
}

double accuracy(const Tags& tags, const Corpus& corpus) {
  double right = 0.0, all = 0.0;
  for (std::size_t s = 0; s < corpus.size(); ++s)
    for (std::size_t t = 0; t < corpus[s].tags.size(); ++t, all += 1.0)
      right += tags[s][t] == corpus[s].tags[t] ? 1.0 : 0.0;
  return right / all;
}

}  // namespace tagger
