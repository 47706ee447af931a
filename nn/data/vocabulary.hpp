#pragma once

#include <autograd/tensor/shape.hpp>
#include <nn/data/tokens.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::nn {

struct VocabularyOptions {
  Index max_size = 0;       ///< the most frequent symbols, with `<unk>` and `<eos>`; 0: all
  Index min_count = 1;      ///< rarer symbols are left out
  bool lower_case = false;  ///< of words: A to Z are read as a to z
};

/// What happens to symbols that are not in the vocabulary.
enum class Unknown {
  map,    ///< they become `<unk>`; an error where the vocabulary has none
  skip,   ///< they are left out
  error,  ///< an error that names them
};

/// The symbols that a model knows, numbered from 0: bytes and characters in their order, words by
/// falling frequency, equal ones in the order of their bytes. A vocabulary of words begins with
/// `<unk>` and `<eos>`, any other ends with `<unk>` where symbols were left out. A handle, of which
/// copies share the symbols.
class Vocabulary {
 public:
  /// Of some texts, which are valid UTF-8 unless the level is byte: throws FormatError naming the
  /// text by its number and the offset otherwise. Throws ArgumentError for options out of range,
  /// and when there are more than 2^31 - 1 symbols.
  static Vocabulary build(Level level, const std::vector<std::string_view>& texts,
                          const VocabularyOptions& options = {});

  Level level() const;  ///< what a symbol is
  Index size() const;   ///< number of symbols
  /// As it is written in a text. Throws ArgumentError for a number out of range.
  const std::string& symbol(Index number) const;
  /// How often each symbol was in the texts.
  const std::vector<Index>& counts() const;
  /// The number of `<unk>`.
  std::optional<Index> unknown() const;
  /// The number of a symbol, -1 when it is not there.
  std::int32_t find(std::string_view symbol) const;
  /// That of `<unk>` for a symbol that is not there. Throws FormatError when there is none.
  std::int32_t number(std::string_view symbol) const;

  /// Throws FormatError that names `source` and what the policy refuses.
  std::vector<std::int32_t> encode(std::string_view text, const std::string& source,
                                   Unknown unknown = Unknown::error) const;
  /// A symbol as it is written behind a text: words follow each other with a blank between them,
  /// and `<eos>` is a line feed.
  std::string written_after(std::string_view text, Index number) const;
  /// All of them, one behind the other.
  std::string decode(std::span<const std::int32_t> numbers) const;

  /// As one string for parse(), UTF-8 at every level.
  std::string serialise() const;
  /// Throws FormatError that begins with `where` for what serialise() does not make.
  static Vocabulary parse(const std::string& text, const std::string& where);

 private:
  struct Symbols;
  explicit Vocabulary(std::shared_ptr<const Symbols> symbols) : symbols_(std::move(symbols)) {}

  std::shared_ptr<const Symbols> symbols_;
};

/// Bits per symbol that a text with so many of each symbol costs when each is guessed by its
/// frequency alone.
double unigram_entropy(std::span<const Index> counts);

}  // namespace unroll::nn
