#include "grammar.hpp"

#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <numeric>
#include <sstream>

namespace tagger {
namespace {

/// A tag and how often each tag follows it. The first row holds the starts of sentences; a sentence
/// ends with its PUNCT.
constexpr const char* kTransitions[] = {
    "START DET 45 PRON 25 NOUN 20 ADV 10",
    "DET   NOUN 65 ADJ 35",
    "ADJ   NOUN 85 ADJ 15",
    "NOUN  VERB 40 NOUN 15 ADP 20 PUNCT 25",
    "VERB  DET 30 PRON 10 NOUN 10 ADP 15 ADV 15 SCONJ 10 PUNCT 10",
    "ADP   DET 55 NOUN 30 PRON 15",
    "PRON  VERB 60 ADP 10 ADV 10 PUNCT 20",
    "ADV   VERB 25 ADP 20 ADJ 10 DET 10 PRON 5 PUNCT 30",
    "SCONJ DET 45 PRON 40 NOUN 15",
    "PUNCT",
};

/// A word and how often it is meant as each tag.
constexpr const char* kLexicon[] = {
    "the DET 50",
    "a DET 40",
    "that DET 10 PRON 10 SCONJ 30",
    "her DET 15 PRON 15",
    "she PRON 20",
    "they PRON 20",
    "old ADJ 20 NOUN 5",
    "light ADJ 12 NOUN 12 VERB 10",
    "fast ADJ 10 ADV 20 NOUN 4 VERB 4",
    "flat ADJ 10 NOUN 8",
    "well ADV 20 NOUN 6 ADJ 4",
    "near ADP 10 ADJ 5 ADV 8",
    "like ADP 25 VERB 20",
    "in ADP 30 ADV 8",
    "to ADP 20",
    "before ADP 10 SCONJ 15 ADV 10",
    "flies NOUN 12 VERB 14",
    "time NOUN 16 VERB 5",
    "saw NOUN 6 VERB 16",
    "man NOUN 14 VERB 4",
    "train NOUN 10 VERB 8",
    "watch NOUN 8 VERB 12",
    "run NOUN 6 VERB 14",
    "fish NOUN 10 VERB 6",
    "sleep NOUN 5 VERB 10",
    "fruit NOUN 12",
    "arrow NOUN 8",
    "banana NOUN 8",
    "sees VERB 8",
    "green ADJ 10 NOUN 4",
    ". PUNCT 1",
};

void normalize(std::vector<double>& p) {
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& each : p) each /= sum;
}

std::size_t draw(const std::vector<double>& p, unroll::Generator& generator) {
  double left = generator.uniform();
  for (std::size_t k = 0; k + 1 < p.size(); ++k) {
    left -= p[k];
    if (left < 0.0) return k;
  }
  return p.size() - 1;
}

}  // namespace

Grammar::Grammar() {
  for (const char* row : kTransitions) {
    const std::string line = row, tag = line.substr(0, line.find(' '));
    if (tag != "START") tags_.push_back(tag);
  }
  const auto weights = [&](const char* row, std::string& head) {
    std::istringstream in(row);
    std::vector<double> result(tags_.size());
    in >> head;
    std::string tag;
    for (double weight = 0.0; in >> tag >> weight;) result[tag_number(tag)] = weight;
    return result;
  };
  std::string head;
  for (const char* row : kTransitions) {
    std::vector<double> next = weights(row, head);
    if (head != "PUNCT") normalize(next);
    (head == "START" ? start_ : transition_.emplace_back()) = next;
  }
  std::vector<double> sums(tags_.size());
  for (const char* row : kLexicon) {
    const std::vector<double> word = weights(row, head);
    words_.push_back(head);
    given_[head] = word;
    for (std::size_t k = 0; k < tags_.size(); ++k) sums[k] += word[k];
  }
  for (auto& [word, p] : given_)
    for (std::size_t k = 0; k < tags_.size(); ++k) p[k] /= sums[k];
}

std::size_t Grammar::tag_number(const std::string& tag) const {
  return static_cast<std::size_t>(std::find(tags_.begin(), tags_.end(), tag) - tags_.begin());
}

const std::vector<double>& Grammar::emission(const std::string& word) const {
  const auto found = given_.find(word);
  if (found == given_.end())
    throw unroll::ArgumentError("Grammar: it has no word \"" + word + "\"");
  return found->second;
}

Sentence Grammar::sample(unroll::Generator& generator) const {
  Sentence sentence;
  const std::vector<double>* next = &start_;
  do {
    const std::size_t tag = draw(*next, generator);
    std::vector<double> words;
    for (const std::string& word : words_) words.push_back(emission(word)[tag]);
    sentence.words.push_back(words_[draw(words, generator)]);
    sentence.tags.push_back(tags_[tag]);
    next = &transition_[tag];
  } while (sentence.tags.back() != "PUNCT");
  return sentence;
}

Grammar::Posterior Grammar::given_the_words_so_far(const std::vector<std::string>& words) const {
  Posterior forward;
  for (const std::string& word : words) {
    std::vector<double> p = start_;
    for (std::size_t to = 0; !forward.empty() && to < p.size(); ++to) {
      p[to] = 0.0;
      for (std::size_t from = 0; from < p.size(); ++from)
        p[to] += forward.back()[from] * transition_[from][to];
    }
    const std::vector<double>& here = emission(word);
    for (std::size_t k = 0; k < p.size(); ++k) p[k] *= here[k];
    if (std::accumulate(p.begin(), p.end(), 0.0) <= 0.0)
      throw unroll::ArgumentError("Grammar: no sentence has \"" + word + "\" here");
    normalize(p);
    forward.push_back(std::move(p));
  }
  return forward;
}

Grammar::Posterior Grammar::given_all_words(const std::vector<std::string>& words) const {
  Posterior posterior = given_the_words_so_far(words);
  std::vector<double> later(tags_.size(), 1.0);  // of the words after t, given the tag at t
  for (std::size_t t = words.size(); t-- > 0;) {
    if (t + 1 < words.size()) {
      const std::vector<double> after = later;
      const std::vector<double>& next = emission(words[t + 1]);
      for (std::size_t from = 0; from < later.size(); ++from) {
        later[from] = 0.0;
        for (std::size_t to = 0; to < later.size(); ++to)
          later[from] += transition_[from][to] * next[to] * after[to];
      }
      normalize(later);
    }
    for (std::size_t k = 0; k < later.size(); ++k) posterior[t][k] *= later[k];
    normalize(posterior[t]);
  }
  return posterior;
}

}  // namespace tagger
