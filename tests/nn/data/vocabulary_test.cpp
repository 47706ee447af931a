#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/data/utf8.hpp>
#include <nn/data/vocabulary.hpp>

#include <map>
#include <string>
#include <vector>

#include "support/with_threads.hpp"

using namespace unroll;
using nn::Level;
using nn::Vocabulary;

namespace {

std::vector<std::string> symbols_of(const Vocabulary& vocabulary) {
  std::vector<std::string> all;
  for (Index k = 0; k < vocabulary.size(); ++k) all.push_back(vocabulary.symbol(k));
  return all;
}

using Names = std::vector<std::string>;
using Numbers = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("words are numbered by falling frequency, after <unk> and the end of a line") {
  const auto words = Vocabulary::build(Level::word, {"b a  b\tc\r\na b\n\n", "a d a <unk>"});
  CHECK(symbols_of(words) == Names{"<unk>", "<eos>", "a", "b", "c", "d"});
  CHECK(words.counts()[0] == 1);
  CHECK(words.counts()[1] == 3);
  CHECK(words.counts()[2] == 4);
  CHECK(words.unknown() == 0);
  CHECK(words.encode("a x\nd", "it", nn::Unknown::map) == Numbers{2, 0, 1, 5});
  CHECK(words.encode("a x\nd", "it", nn::Unknown::skip) == Numbers{2, 1, 5});
  CHECK(words.decode(Numbers{2, 3, 1, 1, 4, 0}) == "a b\n\nc <unk>");
}

TEST_CASE("characters and bytes are numbered in their order") {
  const auto characters = Vocabulary::build(Level::character, {"bäb\n€"});
  CHECK(symbols_of(characters) == Names{"\n", "b", "ä", "€"});
  CHECK(!characters.unknown());
  CHECK(characters.decode(characters.encode("€bä", "it")) == "€bä");
  const auto bytes = Vocabulary::build(Level::byte, {"b\xFF\x80"});
  CHECK(symbols_of(bytes) == Names{"b", "\x80", "\xFF"});
  CHECK(bytes.encode("\xFF"
                     "b",
                     "it") == Numbers{2, 0});
}

TEST_CASE("what is rare, or beyond the largest size, becomes <unk>") {
  const std::string text = "a a a b b c c d";
  const auto frequent = Vocabulary::build(Level::word, {text}, {.min_count = 2});
  CHECK(symbols_of(frequent) == Names{"<unk>", "<eos>", "a", "b", "c"});
  CHECK(frequent.counts()[0] == 1);
  const auto small = Vocabulary::build(Level::word, {text}, {.max_size = 4});
  CHECK(symbols_of(small) == Names{"<unk>", "<eos>", "a", "b"});
  CHECK(small.counts()[0] == 3);
  const auto whole = Vocabulary::build(Level::word, {text}, {.max_size = 6});
  CHECK(whole.size() == 6);

  const auto letters = Vocabulary::build(Level::character, {"aaabbcd"}, {.max_size = 3});
  CHECK(symbols_of(letters) == Names{"a", "b", "<unk>"});
  CHECK(letters.unknown() == 2);
  CHECK(letters.number("c") == 2);
}

TEST_CASE("words can be read in lower case") {
  const auto words = Vocabulary::build(Level::word, {"The the ÄT"}, {.lower_case = true});
  CHECK(symbols_of(words) == Names{"<unk>", "<eos>", "the", "Ät"});
  CHECK(words.find("THE") == 2);
}

TEST_CASE("a vocabulary of a large text is that of a plain count") {
  // Large enough to be counted in several threads, cut at any byte.
  Generator generator(3);
  std::string text;
  while (text.size() < 3000000) {
    text += "w" + std::to_string(generator.below(500) * generator.below(500));
    text += generator.below(9) == 0 ? "ä\n" : " ";
  }
  for (const Level level : {Level::word, Level::character, Level::byte}) {
    std::map<std::string, Index> counts;
    for (std::size_t at = 0; at < text.size();) {
      const nn::Token token = nn::next_token(level, std::string_view(text).substr(at));
      if (token.bytes == 0) break;
      ++counts[std::string(token.text)];
      at += token.bytes;
    }
    const auto vocabulary = Vocabulary::build(level, {text});
    for (Index k = level == Level::word ? 1 : 0; k < vocabulary.size(); ++k)
      if (vocabulary.counts()[static_cast<std::size_t>(k)] != counts[vocabulary.symbol(k)])
        CHECK(vocabulary.counts()[static_cast<std::size_t>(k)] == counts[vocabulary.symbol(k)]);
    CHECK(vocabulary.size() == std::ssize(counts) + (level == Level::word ? 1 : 0));
  }
}

TEST_CASE("a vocabulary does not depend on the number of threads") {
  Generator generator(4);
  std::string text;
  while (text.size() < 1000000) {
    text += generator.below(5) == 0 ? "The" : "tHE" + std::to_string(generator.below(3000));
    text += generator.below(9) == 0 ? "\n" : generator.below(20) == 0 ? "  \xC3\xA4" : " ";
  }
  text += std::string(200000, 'x');  // a word longer than a piece of a thread
  for (const Level level : {Level::word, Level::character, Level::byte})
    for (const nn::VocabularyOptions& options :
         {nn::VocabularyOptions{}, nn::VocabularyOptions{.max_size = 12, .lower_case = true}}) {
      std::vector<std::string> all;
      for (const int threads : {1, 2, 5}) {
        const unroll::testing::WithThreads with(threads);
        all.push_back(Vocabulary::build(level, {text, "a\n", ""}, options).serialise());
      }
      CHECK(all[0] == all[1]);
      CHECK(all[0] == all[2]);
    }
  std::map<std::string, Index> lower;
  for (std::size_t at = 0; at < text.size();) {
    const nn::Token token = nn::next_token(Level::word, std::string_view(text).substr(at));
    std::string word(token.text);
    for (char& c : word)
      if (c == 'T' || c == 'H' || c == 'E') c = static_cast<char>(c + 'a' - 'A');
    ++lower[word];
    at += token.bytes;
  }
  const auto words = Vocabulary::build(Level::word, {text}, {.lower_case = true});
  CHECK(words.size() == std::ssize(lower) + 1);
  CHECK(words.counts()[static_cast<std::size_t>(words.find("THE"))] == lower["the"]);
}

TEST_CASE("the entropy of symbol counts is that of their frequencies") {
  CHECK(nn::unigram_entropy(std::vector<Index>{4, 4, 4, 4}) == doctest::Approx(2.0));
  CHECK(nn::unigram_entropy(std::vector<Index>{2, 1, 0, 1}) == doctest::Approx(1.5));
  CHECK(nn::unigram_entropy(std::vector<Index>{7}) == doctest::Approx(0.0));
}

TEST_CASE("what is written is read again, and damage is refused") {
  for (const auto& vocabulary :
       {Vocabulary::build(Level::word, {"\"a\" b\\ ö <eos>\n"}, {.lower_case = true}),
        Vocabulary::build(Level::character, {"a\"\\\x01€\n"}, {.max_size = 4}),
        Vocabulary::build(Level::byte, {std::string("\x00\x7F\x80\xFF", 4)})}) {
    const std::string text = vocabulary.serialise();
    const Vocabulary again = Vocabulary::parse(text, "it");
    CHECK(symbols_of(again) == symbols_of(vocabulary));
    CHECK(again.level() == vocabulary.level());
    CHECK(again.counts()[1] == vocabulary.counts()[1]);
    CHECK(again.serialise() == text);

    Generator generator(1);
    for (int trial = 0; trial < 2000; ++trial) {
      std::string damaged = text;
      damaged[generator.below(damaged.size())] = static_cast<char>(generator.below(256));
      Index size = 1;
      try {
        size = Vocabulary::parse(damaged, "it").size();
      } catch (const FormatError&) {
      }
      CHECK(size > 0);
    }
  }
  CHECK_THROWS_WITH_AS(
      Vocabulary::parse(
          R"({"level":"character","lower_case":false,"symbols":["a","a"],"counts":[1,1]})", "it"),
      "it: symbol 1: is there twice", FormatError);
  CHECK_THROWS_AS(
      Vocabulary::parse(R"({"level":"word","lower_case":false,"symbols":["a b"],"counts":[1]})",
                        "it"),
      FormatError);
}

TEST_CASE("symbols that a model never saw are named") {
  const auto characters = Vocabulary::build(Level::character, {"ab"});
  CHECK_THROWS_WITH_AS(characters.encode("aX€\n", "text"),
                       "text: the model never saw U+000A, 'X' (U+0058), '€' (U+20AC) in training",
                       FormatError);
  CHECK_THROWS_WITH_AS(characters.encode("X", "text", nn::Unknown::map),
                       doctest::Contains("no <unk> to map to"), FormatError);
  CHECK_THROWS_AS(characters.encode("a\xFF", "text"), FormatError);
  CHECK_THROWS_AS(Vocabulary::build(Level::character, {"a\xFF"}), FormatError);
  CHECK_THROWS_AS(characters.symbol(2), ArgumentError);
  CHECK_THROWS_AS(Vocabulary::build(Level::word, {"a"}, {.max_size = 1}), ArgumentError);
  CHECK_THROWS_AS(nn::level_from("syllable"), ArgumentError);
}
