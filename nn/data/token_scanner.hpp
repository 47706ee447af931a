#pragma once

#include <nn/data/tokens.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

/// What next_token does, inline, for loops over whole texts.
namespace unroll::nn::scanner {

enum class Kind : unsigned char { letter, space, line_end };

/// To which kind each byte belongs, at the level of words.
inline constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (const unsigned char c : {' ', '\t', '\r', '\v', '\f'}) kinds[c] = Kind::space;
  kinds['\n'] = Kind::line_end;
  return kinds;
}();

inline Kind kind_of(char c) { return kKinds[static_cast<unsigned char>(c)]; }

/// True for bytes of UTF-8 that begin no code point.
inline bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

/// Eight bytes that are looked at at once. A result has the highest bit of each byte for which the
/// answer is yes.
class Eight {
 public:
  explicit Eight(const char* from) { std::memcpy(&bytes_, from, sizeof bytes_); }

  std::uint64_t equal(char c) const {
    const std::uint64_t other = bytes_ ^ (kOnes * static_cast<unsigned char>(c));
    return ~(((other & kLow) + kLow) | other) & ~kLow;
  }
  /// Neither a space nor the end of a line: not ' ' and not in '\t' .. '\r'.
  std::uint64_t letters() const {
    const std::uint64_t low = bytes_ & kLow;
    const std::uint64_t from_tab = low + kOnes * (0x80 - '\t');
    const std::uint64_t after_return = low + kOnes * (0x7F - '\r');
    return (~(from_tab & ~after_return) | bytes_) & ~equal(' ') & ~kLow;
  }

 private:
  static_assert(std::endian::native == std::endian::little, "the first byte is the lowest");
  static constexpr std::uint64_t kOnes = 0x0101010101010101U, kLow = 0x7F * kOnes;
  std::uint64_t bytes_ = 0;
};

inline Token next_character(std::string_view rest) {
  const auto lead = static_cast<unsigned char>(rest[0]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  const std::string_view symbol = rest.substr(0, length);
  return {symbol, symbol.size()};
}

inline Token next_word(std::string_view rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && kind_of(rest[begin]) == Kind::space) ++begin;
  if (begin == rest.size()) return {};
  if (rest[begin] == '\n') return {kEndOfLine, begin + 1};
  std::size_t end = begin + 1;
  while (end < rest.size() && kind_of(rest[end]) == Kind::letter) ++end;
  return {rest.substr(begin, end - begin), end};
}

/// Calls visit(word) for each symbol of a text at the level of words.
template <class Visit>
void for_each_word(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const Token token = next_word(text);
    if (token.bytes == 0) return;
    visit(token.text);
    text.remove_prefix(token.bytes);
  }
}

}  // namespace unroll::nn::scanner
