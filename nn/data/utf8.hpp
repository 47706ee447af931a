#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unroll::nn {

/// Bytes at the start of `bytes`, at least one, that make one code point, which goes to `symbol`; 0
/// when they are not valid UTF-8.
std::size_t decode_code_point(std::string_view bytes, char32_t& symbol);

/// The code points of a UTF-8 text. Throws FormatError naming `source` and the byte offset of the
/// first byte that is not valid.
std::u32string decode_utf8(std::string_view bytes, const std::string& source);
std::string encode_utf8(std::u32string_view text);

/// Throws what decode_utf8 throws.
void check_utf8(std::string_view bytes, const std::string& source);

/// Throws what decode_utf8 throws for a text of which the byte at this offset is not valid.
[[noreturn]] void throw_invalid_utf8(std::string_view bytes, std::size_t at,
                                     const std::string& source);

}  // namespace unroll::nn
