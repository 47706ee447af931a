#pragma once

#include <nn/data/symbol_table.hpp>
#include <nn/data/vocabulary.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unroll::nn {

inline constexpr std::string_view kUnknown = "<unk>";

/// Writes a word with a to z for A to Z.
inline std::string lowered(std::string_view word) {
  std::string lower(word);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// What the copies of a vocabulary share.
struct Vocabulary::Symbols {
  Level level = Level::character;
  bool lower_case = false;
  std::vector<std::string> symbols;
  std::vector<Index> counts;
  SymbolTable numbers;
  std::array<std::int32_t, 256> of_byte{};  // those of symbols of one byte, without a search

  /// Of a symbol that is not there yet.
  void add(std::string symbol, Index count) {
    numbers.add(symbol);
    symbols.push_back(std::move(symbol));
    counts.push_back(count);
  }
  /// After the last add().
  void finish() {
    for (std::size_t byte = 0; byte < of_byte.size(); ++byte) {
      const char one = static_cast<char>(byte);
      of_byte[byte] = numbers.find({&one, 1});
    }
  }
};

}  // namespace unroll::nn
