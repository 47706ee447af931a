// The corpus of the example tagger: the file format, the grammar, and what is computed from it.
#include <doctest/doctest.h>

#include <autograd/tensor/error.hpp>
#include <examples/tagger/baselines.hpp>
#include <examples/tagger/batch.hpp>
#include <examples/tagger/corpus.hpp>
#include <examples/tagger/grammar.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "support/folder.hpp"

namespace unroll::testing {

using namespace tagger;

namespace {

std::string token(const std::string& id, const std::string& form, const std::string& tag) {
  return id + "\t" + form + "\t_\t" + tag + "\t_\t_\t_\t_\t_\t_\n";
}

/// How often a sentence was drawn, and how often with each tag at each word.
struct Counted {
  double samples = 0.0;
  std::vector<std::map<std::string, double>> tags;
};

}  // namespace

TEST_CASE("a CoNLL-U file is read word by word, without ranges, empty nodes and comments") {
  const Folder folder;
  const std::string text = "# sent_id = 1\n# text = Don't!\n" + token("1-2", "Don't", "_") +
                           token("1", "Do", "AUX") + token("2", "n't", "PART") +
                           token("2.1", "go", "VERB") + token("3", "!", "PUNCT") + "\n\n" +
                           token("1", "Yes", "INTJ");  // no newline after the last sentence
  const Corpus corpus = read_conllu(write(folder / "a.conllu", text));
  REQUIRE(corpus.size() == 2);
  CHECK(corpus[0].words == std::vector<std::string>{"Do", "n't", "!"});
  CHECK(corpus[0].tags == std::vector<std::string>{"AUX", "PART", "PUNCT"});
  CHECK(corpus[1].words == std::vector<std::string>{"Yes"});

  std::string windows;  // lines that end in CR LF
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(read_conllu(write(folder / "b.conllu", windows))[0].words == corpus[0].words);
}

TEST_CASE("a malformed line of a CoNLL-U file is an error that names the line") {
  const Folder folder;
  const auto message = [&](const std::string& text) -> std::string {
    try {
      read_conllu(write(folder / "bad.conllu", text));
    } catch (const FormatError& error) {
      return error.what();
    }
    return "no error";
  };
  const std::string start = "# a comment\n" + token("1", "Go", "VERB");
  const auto at_line = [&](const std::string& what) { return folder / "bad.conllu:3: " + what; };
  CHECK(message(start + "2\thome\tNOUN\n") ==
        at_line("expected 10 columns separated by tabs, there are 3"));
  CHECK(message(start + token("3", "home", "NOUN")) == at_line("expected the ID 2, it is \"3\""));
  CHECK(message(start + token("x", "home", "NOUN")) == at_line("expected the ID 2, it is \"x\""));
  CHECK(message(start + token("2", "", "NOUN")) == at_line("the FORM is empty"));
  CHECK(message(start + token("2", "home", "_")) ==
        at_line("the UPOS is missing; tagging needs a file with tags"));
  CHECK(message(start + token("2", "home", "noun")) ==
        at_line("the UPOS \"noun\" is no tag such as NOUN"));
  CHECK(message("") == "no sentence in \"" + folder / "bad.conllu\"");
  CHECK(message("# nothing\n\n") == "no sentence in \"" + folder / "bad.conllu\"");
  CHECK_THROWS_WITH_AS(
      read_conllu(folder / "none"),
      ("cannot open \"" + folder / "none" + "\": No such file or directory").c_str(), FormatError);
  CHECK_THROWS_AS(read_conllu(folder / ""), FormatError);
}

TEST_CASE("a sentence of the grammar ends with its only full stop") {
  const Grammar grammar;
  Generator generator(1);
  for (int k = 0; k < 200; ++k) {
    const Sentence sentence = grammar.sample(generator);
    REQUIRE(sentence.words.size() == sentence.tags.size());
    for (std::size_t t = 0; t < sentence.words.size(); ++t) {
      const bool last = t + 1 == sentence.words.size();
      CHECK((sentence.words[t] == ".") == last);
      CHECK((sentence.tags[t] == "PUNCT") == last);
    }
  }
}

TEST_CASE("posterior probabilities are the frequencies of the tags among equal sentences") {
  const Grammar grammar;
  Generator generator(2);
  std::map<std::vector<std::string>, Counted> counted;
  for (int k = 0; k < 200'000; ++k) {
    const Sentence sentence = grammar.sample(generator);
    if (sentence.words.size() > 4) continue;
    Counted& here = counted[sentence.words];
    here.samples += 1.0;
    here.tags.resize(sentence.words.size());
    for (std::size_t t = 0; t < sentence.tags.size(); ++t) here.tags[t][sentence.tags[t]] += 1.0;
  }
  int compared = 0;
  for (const auto& [words, here] : counted) {
    if (here.samples < 100.0) continue;
    const Grammar::Posterior posterior = grammar.given_all_words(words);
    for (std::size_t t = 0; t < words.size(); ++t)
      for (std::size_t k = 0; k < grammar.tags().size(); ++k) {
        const double p = posterior[t][k], error = std::sqrt(p * (1.0 - p) / here.samples);
        const auto found = here.tags[t].find(grammar.tags()[k]);
        const double frequency = found == here.tags[t].end() ? 0.0 : found->second / here.samples;
        CHECK(std::abs(frequency - p) <= 5.0 * error + 1e-9);
        ++compared;
      }
  }
  CHECK(compared > 500);
}

TEST_CASE("at the last word, the words so far are all words") {
  const Grammar grammar;
  Generator generator(3);
  bool later_words_matter = false;
  for (int k = 0; k < 50; ++k) {
    const std::vector<std::string> words = grammar.sample(generator).words;
    const Grammar::Posterior so_far = grammar.given_the_words_so_far(words);
    const Grammar::Posterior all = grammar.given_all_words(words);
    for (std::size_t tag = 0; tag < grammar.tags().size(); ++tag) {
      CHECK(all.back()[tag] == doctest::Approx(so_far.back()[tag]));
      later_words_matter |= std::abs(all.front()[tag] - so_far.front()[tag]) > 0.1;
    }
  }
  CHECK(later_words_matter);
  CHECK_THROWS_AS(grammar.given_all_words({"colourless", "."}), ArgumentError);
  CHECK_THROWS_AS(grammar.given_all_words({".", "a"}), ArgumentError);
}

TEST_CASE(
    "the best tags with all words are better than those with the words so far, and both than the "
    "most frequent") {
  const Grammar grammar;
  Generator generator(4);
  Corpus learnt, test;
  for (int k = 0; k < 2000; ++k) learnt.push_back(grammar.sample(generator));
  for (int k = 0; k < 2000; ++k) test.push_back(grammar.sample(generator));
  const double all = accuracy(best_tags(grammar, test, &Grammar::given_all_words), test);
  const double so_far = accuracy(best_tags(grammar, test, &Grammar::given_the_words_so_far), test);
  const double frequent = accuracy(most_frequent_tags(learnt, test, Vocabulary(learnt)), test);
  CHECK(all > so_far + 0.05);
  CHECK(so_far > frequent + 0.05);

  // What the posterior promises is what comes true: its largest probabilities, averaged.
  double promised = 0.0, words = 0.0;
  for (const Sentence& sentence : test)
    for (const std::vector<double>& p : grammar.given_all_words(sentence.words)) {
      promised += *std::max_element(p.begin(), p.end());
      words += 1.0;
    }
  CHECK(all == doctest::Approx(promised / words).epsilon(0.01));
}

TEST_CASE("a batch holds words and tags by number, padded; rare and new words are word 0") {
  const Corpus corpus{{{"a", "b", "a"}, {"X", "Y", "X"}}, {{"a"}, {"X"}}};
  const Vocabulary vocabulary(corpus);
  CHECK(vocabulary.words() == 2);
  CHECK(vocabulary.word("b") == 0);
  CHECK(vocabulary.word("never") == 0);
  CHECK(vocabulary.tag("Z") == Batch::kNoTag);
  const Batch batch(corpus, vocabulary);
  CHECK(batch.lengths == std::vector<Index>{3, 1});
  CHECK(batch.words.shape() == Shape{3, 2});
  CHECK(batch.words.to_vector<Index>() == std::vector<Index>{1, 1, 0, 0, 1, 0});
  CHECK(batch.tags.to_vector<Index>() == std::vector<Index>{0, 0, 1, -100, 0, -100});
}

}  // namespace unroll::testing
