#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/data/mapped_file.hpp>
#include <nn/data/text_file.hpp>
#include <nn/data/token_streams.hpp>

#include <fstream>
#include <string>
#include <vector>

#include "support/folder.hpp"
#include "support/with_threads.hpp"

using namespace unroll;
using namespace unroll::testing;
using nn::Level;
using nn::TokenStreams;
using nn::Vocabulary;

namespace {

std::vector<std::int64_t> numbers(const Tensor& tensor) { return tensor.to_vector<std::int64_t>(); }

std::string text_of(Level level, Index symbols) {
  Generator generator(7);
  std::string text;
  for (Index k = 0; k < symbols; ++k) {
    text += level == Level::word      ? "w" + std::to_string(generator.below(50)) + "  "
            : generator.below(3) == 0 ? "ö"
                                      : "x";
    if (level == Level::word && generator.below(8) == 0) text += '\n';
  }
  return text;
}

Index kilobytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ':')) return std::stoll(line.substr(key.size() + 1));
  return 0;
}

Index resident_kilobytes() { return kilobytes("RssAnon"); }

}  // namespace

TEST_CASE("streams are equal parts of the joined texts, read side by side") {
  const auto letters = Vocabulary::build(Level::character, {"abcdefgh"});
  TokenStreams streams({"abc", "def", "gh"}, letters, {.streams = 2});
  CHECK(streams.tokens() == 8);
  CHECK(streams.length() == 3);  // a b c | d e f, g the last target
  const auto first = streams.next(2);
  CHECK(first.inputs.shape() == Shape{2, 2});
  CHECK(numbers(first.inputs) == std::vector<std::int64_t>{0, 3, 1, 4});
  CHECK(numbers(first.targets) == std::vector<std::int64_t>{1, 4, 2, 5});
  const auto second = streams.next(2);
  CHECK(numbers(second.inputs) == std::vector<std::int64_t>{2, 5});
  CHECK(numbers(second.targets) == std::vector<std::int64_t>{3, 6});
  CHECK(streams.at_end());
  CHECK_THROWS_AS(streams.next(1), ArgumentError);
  streams.restart();
  CHECK(numbers(streams.next(1).inputs) == std::vector<std::int64_t>{0, 3});
}

TEST_CASE("at every level the streams are those of the encoded text") {
  for (const Level level : {Level::byte, Level::character, Level::word}) {
    const std::string text = text_of(level, 10000);
    const auto vocabulary = Vocabulary::build(level, {text});
    const auto all = vocabulary.encode(text, "text");
    TokenStreams streams({text}, vocabulary, {.streams = 3});
    REQUIRE(streams.tokens() == std::ssize(all));
    const Index length = streams.length();
    CHECK(length == (streams.tokens() - 1) / 3);
    Index at = 0, wrong = 0;
    while (!streams.at_end()) {
      const auto [inputs, targets] = streams.next(37);
      const auto in = numbers(inputs), out = numbers(targets);
      for (Index t = 0; t < inputs.shape()[0]; ++t, ++at)
        for (Index s = 0; s < 3; ++s) {
          const auto k = static_cast<std::size_t>(s * length + at);
          const auto here = static_cast<std::size_t>(t * 3 + s);
          wrong += in[here] != all[k] || out[here] != all[k + 1];
        }
    }
    CHECK(at == length);
    CHECK(wrong == 0);
  }
}

TEST_CASE("from any position a run goes on with the batches that would have come") {
  const std::string text = text_of(Level::word, 9000);
  const auto vocabulary = Vocabulary::build(Level::word, {text});
  TokenStreams whole({text}, vocabulary, {.streams = 2});
  while (!whole.at_end()) {
    const auto state = whole.state();
    const auto expected = whole.next(500);
    TokenStreams resumed({text}, vocabulary, {.streams = 2});
    resumed.set_state(state);
    const auto got = resumed.next(500);
    CHECK(numbers(got.inputs) == numbers(expected.inputs));
    CHECK(numbers(got.targets) == numbers(expected.targets));
  }
  TokenStreams other({text}, vocabulary, {.streams = 3});
  CHECK_THROWS_WITH_AS(other.set_state(whole.state()),
                       doctest::Contains("give the text of that run"), FormatError);
  CHECK_THROWS_AS(other.set_state({}), FormatError);
}

TEST_CASE("a text in a file takes no memory but its index") {
  const Folder folder;
  std::string block = text_of(Level::word, 100000);
  const auto vocabulary = Vocabulary::build(Level::word, {block});
  {
    std::ofstream out(folder / "text");
    for (int k = 0; k < 80; ++k) out << block;
  }
  const nn::TextFile file(folder / "text");
  CHECK(file.bytes().size() > 30'000'000);
  const Index before = resident_kilobytes();
  TokenStreams streams({file.bytes()}, vocabulary, {.streams = 20});
  for (int k = 0; k < 100; ++k) streams.next(35);
  CHECK(resident_kilobytes() - before < 4000);
}

TEST_CASE("texts of many pieces are read from any position, whatever the number of threads") {
  for (const Level level : {Level::byte, Level::character, Level::word}) {
    const std::string first = std::string(150000, level == Level::word ? ' ' : 'x') +
                              text_of(level, 150000) + std::string(200000, 'x');
    const std::string second = text_of(level, 90000);
    const std::vector<std::string_view> texts{first, "", "x", second, " "};
    const auto vocabulary = Vocabulary::build(level, texts);
    std::vector<std::int64_t> all;
    for (const std::string_view text : texts)
      for (const std::int32_t number : vocabulary.encode(text, "text")) all.push_back(number);
    for (const int threads : {1, 3}) {
      const WithThreads with(threads);
      TokenStreams streams(texts, vocabulary, {.streams = 3});
      REQUIRE(streams.tokens() == std::ssize(all));
      Generator generator(5);
      Index wrong = 0;
      for (int trial = 0; trial < 60; ++trial) {
        const auto at =
            static_cast<Index>(generator.below(static_cast<std::uint64_t>(streams.length())));
        streams.set_position(at);
        const auto inputs = numbers(streams.next(1).inputs);
        for (Index s = 0; s < 3; ++s)
          wrong += inputs[static_cast<std::size_t>(s)] !=
                   all[static_cast<std::size_t>(s * streams.length() + at)];
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("what has been read of a mapped file leaves the memory") {
  const Folder folder;
  const std::string block = text_of(Level::word, 100000);
  {
    std::ofstream out(folder / "text");
    for (int k = 0; k < 80; ++k) out << block;
  }
  const nn::TextFile file(folder / "text");
  REQUIRE(file.bytes().size() > 30'000'000);
  for (const Level level : {Level::word, Level::character, Level::byte}) {
    const Index before = kilobytes("RssFile");
    const auto vocabulary = Vocabulary::build(level, {file.bytes()});
    TokenStreams streams({file.bytes()}, vocabulary, {.streams = 20});
    CHECK(kilobytes("RssFile") - before < 8000);
    if (level == Level::word)
      while (!streams.at_end()) streams.next(10000);
    CHECK(kilobytes("RssFile") - before < 8000);
  }
  // It is read again where it is used again.
  CHECK(file.bytes().substr(block.size(), block.size()) == block);
}

TEST_CASE("only pages of mapped files are released") {
  const Folder folder;
  const std::string held(100000, 'h');
  nn::release_pages(held);
  nn::release_pages({});
  CHECK(held == std::string(100000, 'h'));
  const nn::TextFile file(write(folder / "text", std::string(100000, 'f')));
  for (const std::size_t at : {0U, 1U, 4095U, 4096U, 50000U, 99999U, 100000U}) {
    nn::release_pages(file.bytes().substr(at));
    nn::release_pages(file.bytes().substr(0, at));
    nn::release_pages(file.bytes().substr(at, 1));
  }
  CHECK(file.bytes() == std::string(100000, 'f'));
}

TEST_CASE("unknown symbols are <unk>, and texts that are too short or not UTF-8 are refused") {
  const auto words = Vocabulary::build(Level::word, {"a b"});
  TokenStreams streams({"a x b"}, words, {.streams = 1});
  CHECK(numbers(streams.next(2).targets) == std::vector<std::int64_t>{0, 3});
  CHECK_THROWS_WITH_AS(TokenStreams({"a b"}, words, {.streams = 2}),
                       "token streams: 2 streams need at least 3 symbols, the text has 2",
                       ArgumentError);
  const auto letters = Vocabulary::build(Level::character, {"abc"});
  CHECK_THROWS_AS(TokenStreams({"ab\xFF"}, letters, {.streams = 1}), FormatError);
  TokenStreams strange({"abX"}, letters, {.streams = 1});
  CHECK_THROWS_WITH_AS(strange.next(2), doctest::Contains("never saw 'X'"), FormatError);
}

TEST_CASE("a text is split between symbols, at words between lines") {
  using Parts = std::pair<std::string_view, std::string_view>;
  CHECK(nn::split_text(Level::byte, "abcd", 0.5) == Parts{"ab", "cd"});
  CHECK(nn::split_text(Level::character, "aöb", 0.5) == Parts{"aö", "b"});
  CHECK(nn::split_text(Level::word, "a b\nc d\n", 0.1) == Parts{"a b\n", "c d\n"});
  CHECK(nn::split_text(Level::word, "a b", 0.5) == Parts{"a b", ""});
  CHECK_THROWS_AS(nn::split_text(Level::byte, "a", 2), ArgumentError);
}
