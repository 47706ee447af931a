#include <doctest/doctest.h>
#include <autograd/tensor/random.hpp>
#include <nn/data/tokens.hpp>

#include <string>
#include <string_view>

using namespace unroll;
using nn::Level;

namespace {

/// Bytes that begin and end words, in any order, more often than in a text.
std::string confusing(Generator& generator, std::size_t size) {
  constexpr std::string_view kBytes = " \t\n\v\f\r\x08\x0E!a\x7F\x80\x8A\xA0\xFF";
  std::string text;
  while (text.size() < size) text += kBytes[generator.below(kBytes.size())];
  return text;
}

std::size_t counted_one_by_one(Level level, std::string_view text) {
  std::size_t count = 0;
  while (const std::size_t bytes = nn::next_token(level, text).bytes) {
    text.remove_prefix(bytes);
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("symbols are counted as often as the next one is found") {
  Generator generator(1);
  for (int trial = 0; trial < 3000; ++trial) {
    const std::string text = confusing(generator, generator.below(40));
    CAPTURE(text);
    for (const Level level : {Level::byte, Level::word})
      CHECK(nn::count_tokens(level, text) == counted_one_by_one(level, text));
    std::string characters;
    for (const char c : text) characters += static_cast<unsigned char>(c) < 0x80 ? "ö" : "€x";
    CHECK(nn::count_tokens(Level::character, characters) ==
          counted_one_by_one(Level::character, characters));
  }
}

TEST_CASE("a text cut at boundaries has the symbols of the whole") {
  Generator generator(2);
  for (int trial = 0; trial < 1000; ++trial) {
    const std::string text = confusing(generator, 30);
    const std::size_t at = nn::token_boundary(Level::word, text, generator.below(30));
    CAPTURE(text);
    CAPTURE(at);
    CHECK(nn::count_tokens(Level::word, text) ==
          nn::count_tokens(Level::word, text.substr(0, at)) +
              nn::count_tokens(Level::word, text.substr(at)));
  }
}
