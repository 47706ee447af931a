#pragma once

#include <autograd/tensor/tensor.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace char_lm {

using unroll::Index;

/// The texts of these files, joined. Throws FormatError when one cannot be read or is not UTF-8, or
/// when there is no character in all of them.
std::u32string read_text(const std::vector<std::string>& files);

/// The characters, Unicode code points, that a model knows, numbered in the order of their code
/// points.
class Vocabulary {
 public:
  explicit Vocabulary(std::u32string_view text);

  Index size() const { return static_cast<Index>(symbols_.size()); }
  char32_t symbol(Index number) const { return symbols_[static_cast<std::size_t>(number)]; }
  const std::u32string& symbols() const { return symbols_; }
  bool contains(char32_t symbol) const { return numbers_.contains(symbol); }

  /// Throws FormatError that names `source` and every character that is not in the vocabulary.
  std::vector<std::int32_t> encode(std::u32string_view text, const std::string& source) const;

 private:
  std::u32string symbols_;
  std::map<char32_t, std::int32_t> numbers_;
};

/// Bits per character that a text costs when each character is guessed by its frequency alone.
double unigram_entropy(std::span<const std::int32_t> text, Index vocabulary);

/// A text cut into streams of equal length that are read side by side, so that the state after one
/// batch is the state before the next. Keeps a view of the text.
class Streams {
 public:
  struct Batch {
    unroll::Tensor inputs;   ///< [T,B]
    unroll::Tensor targets;  ///< [T,B], the character after each input
  };

  /// The text has at least `count` + 1 characters; up to `count` - 1 at its end are left out.
  Streams(std::span<const std::int32_t> text, Index count);

  Index count() const { return count_; }
  /// Characters to predict in each stream.
  Index length() const { return length_; }
  /// `steps` characters of every stream from position `begin` on, fewer where the streams end.
  Batch batch(Index begin, Index steps) const;

 private:
  std::span<const std::int32_t> text_;
  Index count_;
  Index length_;
};

}  // namespace char_lm
