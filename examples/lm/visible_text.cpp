#include "visible_text.hpp"

#include <fmt/format.h>
#include <nn/data/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace lm {
namespace {

/// Marks of direction and joining, line and paragraph separators, byte order marks, tags.
bool is_invisible(char32_t c) {
  const auto within = [c](char32_t first, char32_t last) { return c >= first && c <= last; };
  return within(0x80, 0x9F) || c == 0xAD || c == 0x61C || within(0x200B, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x206F) || c == 0xFEFF ||
         within(0xFFF0, 0xFFFB) || within(0xE0000, 0xE007F);
}

}  // namespace

std::string visible_text(std::string_view bytes) {
  constexpr char32_t kPictures = 0x2400;
  constexpr char32_t kDelete = 0x7F;
  std::string text;
  for (std::size_t at = 0; at < bytes.size();) {
    char32_t symbol = 0;
    const std::size_t length = unroll::nn::decode_code_point(bytes.substr(at), symbol);
    if (length == 0)
      fmt::format_to(std::back_inserter(text), "<{:02X}>", static_cast<unsigned char>(bytes[at]));
    else if (symbol == kDelete)
      text += unroll::nn::encode_utf8(U"\u2421");
    else if (symbol < U' ' && symbol != U'\n' && symbol != U'\t')
      text += unroll::nn::encode_utf8(std::u32string(1, kPictures + symbol));
    else if (is_invisible(symbol))
      fmt::format_to(std::back_inserter(text), "<U+{:04X}>", static_cast<std::uint32_t>(symbol));
    else
      text += bytes.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return text;
}

}  // namespace lm
