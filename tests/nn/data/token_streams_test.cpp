#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/data/text_file.hpp>
#include <nn/data/token_streams.hpp>

#include <fstream>
#include <string>
#include <vector>

#include "support/folder.hpp"

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

Index resident_kilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8));
  return 0;
}

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
