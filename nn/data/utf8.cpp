#include <autograd/tensor/error.hpp>
#include <nn/data/text_pieces.hpp>
#include <nn/data/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace unroll::nn {
namespace {

/// Length of the sequence that a byte begins; 0 when none does.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;  // a continuation, or the lead of an overlong form
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

/// How many bytes at the beginning are valid UTF-8.
std::size_t valid_bytes(std::string_view bytes) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::uint64_t eight = kHighBits;
    if (bytes.size() - at >= sizeof eight) std::memcpy(&eight, bytes.data() + at, sizeof eight);
    if ((eight & kHighBits) == 0) {  // ASCII, as most of most texts
      at += sizeof eight;
      continue;
    }
    char32_t symbol = 0;
    const bool ascii = static_cast<unsigned char>(bytes[at]) < 0x80;
    const std::size_t length = ascii ? 1 : decode_code_point(bytes.substr(at), symbol);
    if (length == 0) break;
    at += length;
  }
  return at;
}

}  // namespace

std::size_t decode_code_point(std::string_view bytes, char32_t& symbol) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t length = sequence_length(lead);
  if (length == 0 || length > bytes.size()) return 0;
  symbol = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(bytes[i]);
    if ((next & 0xC0U) != 0x80) return 0;
    symbol = (symbol << 6U) | (next & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = symbol >= 0xD800 && symbol <= 0xDFFF;
  return symbol < kSmallest[length] || symbol > 0x10FFFF || surrogate ? 0 : length;
}

void throw_invalid_utf8(std::string_view bytes, std::size_t at, const std::string& source) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(bytes[at]);
  throw FormatError(source + ": not valid UTF-8 at byte offset " + std::to_string(at) +
                    " (byte 0x" + kDigits[byte / 16U] + kDigits[byte % 16U] +
                    "); convert it first, for example with iconv -t UTF-8");
}

void check_utf8(std::string_view bytes, const std::string& source) {
  // Of each piece that is not valid, where.
  std::vector<std::size_t> invalid(count_pieces(bytes), std::string_view::npos);
  for_each_piece(Level::character, bytes, parts_of(bytes),
                 [&](int /*part*/, std::size_t k, std::string_view piece) {
                   const std::size_t valid = valid_bytes(piece);
                   if (valid < piece.size())
                     invalid[k] = static_cast<std::size_t>(piece.data() - bytes.data()) + valid;
                 });
  for (const std::size_t at : invalid)
    if (at != std::string_view::npos) throw_invalid_utf8(bytes, at, source);
}

std::u32string decode_utf8(std::string_view bytes, const std::string& source) {
  std::u32string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    char32_t symbol = 0;
    const std::size_t length = decode_code_point(bytes.substr(at), symbol);
    if (length == 0) throw_invalid_utf8(bytes, at, source);
    text.push_back(symbol);
    at += length;
  }
  return text;
}

std::string encode_utf8(std::u32string_view text) {
  std::string bytes;
  const auto put = [&](char32_t byte) { bytes.push_back(static_cast<char>(byte)); };
  const auto put_low = [&](char32_t bits) { put(0x80U | (bits & 0x3FU)); };
  for (const char32_t symbol : text) {
    if (symbol < 0x80) {
      put(symbol);
    } else if (symbol < 0x800) {
      put(0xC0U | (symbol >> 6U));
      put_low(symbol);
    } else if (symbol < 0x10000) {
      put(0xE0U | (symbol >> 12U));
      put_low(symbol >> 6U);
      put_low(symbol);
    } else {
      put(0xF0U | (symbol >> 18U));
      put_low(symbol >> 12U);
      put_low(symbol >> 6U);
      put_low(symbol);
    }
  }
  return bytes;
}

}  // namespace unroll::nn
