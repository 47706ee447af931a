#pragma once

#include <string>
#include <string_view>

namespace char_lm {

/// The code points of a UTF-8 text. Throws FormatError naming `source` and the byte offset of the
/// first byte that is not valid.
std::u32string decode_utf8(std::string_view bytes, const std::string& source);
std::string encode_utf8(std::u32string_view text);

}  // namespace char_lm
