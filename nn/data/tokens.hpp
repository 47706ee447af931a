#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace unroll::nn {

/// What a symbol of a text is.
enum class Level {
  byte,
  character,  ///< a code point of UTF-8
  word,       ///< a longest run of bytes that are no space; the end of each line is `<eos>`
};

/// `byte`, `character` or `word`.
std::string to_string(Level level);
/// Throws ArgumentError for another name than `byte`, `character` and `word`.
Level level_from(const std::string& name);

/// The symbol at the end of a line, at the level of words.
inline constexpr std::string_view kEndOfLine = "<eos>";

/// A symbol where it stands in a text.
struct Token {
  std::string_view text;  ///< `<eos>` for the end of a line
  std::size_t bytes = 0;  ///< that it takes, with spaces before it; 0 when nothing is left
};

/// The first symbol of `rest`. Spaces between words are blanks, tabs, carriage returns and vertical
/// and form feeds; a line ends with a line feed. Takes valid UTF-8.
Token next_token(Level level, std::string_view rest);

/// Where the first symbol begins that begins at or after this offset of a text; its size when none
/// does.
std::size_t token_boundary(Level level, std::string_view text, std::size_t at);

/// The number of symbols of a text: how often next_token finds one.
std::size_t count_tokens(Level level, std::string_view text);

/// A symbol as it may stand in a message: `'é' (U+00E9)`, `byte 0xFF`, `"word"`.
std::string describe_symbol(Level level, std::string_view symbol);

}  // namespace unroll::nn
