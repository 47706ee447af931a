#include <autograd/tensor/error.hpp>
#include <nn/data/token_scanner.hpp>
#include <nn/data/tokens.hpp>
#include <nn/data/utf8.hpp>

#include <bit>
#include <cstdint>

namespace unroll::nn {

std::string to_string(Level level) {
  return level == Level::byte ? "byte" : level == Level::character ? "character" : "word";
}

Level level_from(const std::string& name) {
  for (const Level level : {Level::byte, Level::character, Level::word})
    if (to_string(level) == name) return level;
  throw ArgumentError("level: expected byte, character or word, got \"" + name + '"');
}

Token next_token(Level level, std::string_view rest) {
  if (rest.empty()) return {};
  if (level == Level::byte) return {rest.substr(0, 1), 1};
  return level == Level::character ? scanner::next_character(rest) : scanner::next_word(rest);
}

std::size_t token_boundary(Level level, std::string_view text, std::size_t at) {
  const auto inside = [&](char c) {
    if (level == Level::word) return scanner::kind_of(c) == scanner::Kind::letter;
    return level == Level::character && scanner::is_continuation(c);
  };
  while (at < text.size() && inside(text[at])) ++at;
  return at;
}

std::size_t count_tokens(Level level, std::string_view text) {
  if (level == Level::byte) return text.size();
  std::size_t count = 0;
  if (level == Level::character) {
    for (const char c : text) count += scanner::is_continuation(c) ? 0 : 1;
    return count;
  }
  std::uint64_t before = 0;  // whether the last byte was a letter, in the bit of the first one
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8) {
    const scanner::Eight eight(text.data() + at);
    const std::uint64_t letters = eight.letters();
    count += static_cast<std::size_t>(std::popcount(letters & ~(letters << 8U | before)) +
                                      std::popcount(eight.equal('\n')));
    before = letters >> 56U;
  }
  for (; at < text.size(); ++at) {
    const bool letter = scanner::kind_of(text[at]) == scanner::Kind::letter;
    count += (letter && before == 0) || text[at] == '\n' ? 1 : 0;
    before = letter ? 1 : 0;
  }
  return count;
}

std::string describe_symbol(Level level, std::string_view symbol) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto hexadecimal = [&](std::uint32_t number, int least) {
    std::string digits;
    for (; number > 0 || static_cast<int>(digits.size()) < least; number /= 16)
      digits.insert(digits.begin(), kDigits[number % 16]);
    return digits;
  };
  if (level == Level::byte && symbol.size() == 1)
    return "byte 0x" + hexadecimal(static_cast<unsigned char>(symbol[0]), 2);
  char32_t point = 0;
  if (level == Level::word || symbol.empty() || decode_code_point(symbol, point) != symbol.size()) {
    constexpr std::size_t kShown = 40;
    return '"' + std::string(symbol.substr(0, kShown)) + (symbol.size() > kShown ? "...\"" : "\"");
  }
  const std::string code = "U+" + hexadecimal(point, 4);
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  return control ? code : '\'' + std::string(symbol) + "' (" + code + ')';
}

}  // namespace unroll::nn
