#include <autograd/tensor/error.hpp>
#include <nn/data/text_pieces.hpp>
#include <nn/data/token_scanner.hpp>
#include <nn/data/utf8.hpp>
#include <nn/data/vocabulary_symbols.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

namespace unroll::nn {
namespace {

/// How often each symbol occurs.
struct Counts {
  SymbolTable table;
  std::vector<Index> of;

  void add(std::string_view symbol, Index count) {
    const std::size_t number = table.add(symbol);
    if (number == of.size()) of.push_back(0);
    of[number] += count;
  }
  /// Removes a symbol and returns how often it occurred.
  Index take(std::string_view symbol) {
    const std::int32_t number = table.find(symbol);
    return number < 0 ? 0 : std::exchange(of[static_cast<std::size_t>(number)], 0);
  }
};

void count_characters(Level level, std::string_view text, Counts& counts) {
  std::array<Index, 256> ones{};  // symbols of one byte, which are most
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text[0]);
    if (level == Level::byte || byte < 0x80) {
      ++ones[byte];
      text.remove_prefix(1);
    } else {
      const Token token = scanner::next_character(text);
      counts.add(token.text, 1);
      text.remove_prefix(token.bytes);
    }
  }
  for (std::size_t byte = 0; byte < ones.size(); ++byte) {
    const char one = static_cast<char>(byte);
    if (ones[byte] > 0) counts.add({&one, 1}, ones[byte]);
  }
}

void count_words(std::string_view text, Counts& counts) {
  // Most of the time of a search is that of the memory: a batch of searches begins at once.
  std::array<std::string_view, 16> batch;
  std::size_t size = 0;
  const auto count_batch = [&] {
    for (std::size_t k = 0; k < size; ++k) counts.add(batch[k], 1);
    size = 0;
  };
  scanner::for_each_word(text, [&](std::string_view word) {
    counts.table.prefetch(word);
    batch[size++] = word;
    if (size == batch.size()) count_batch();
  });
  count_batch();
}

/// Adds the symbols of a text, counted in several threads.
void count_symbols(Level level, std::string_view text, bool lower_case, Counts& counts) {
  std::vector<Counts> parts(static_cast<std::size_t>(parts_of(text)));
  for_each_piece(level, text, static_cast<int>(parts.size()),
                 [&](int part, std::size_t /*k*/, std::string_view piece) {
                   Counts& own = parts[static_cast<std::size_t>(part)];
                   if (level == Level::word)
                     count_words(lower_case ? std::string_view(lowered(piece)) : piece, own);
                   else
                     count_characters(level, piece, own);
                 });
  for (Counts& part : parts) {
    for (std::size_t k = 0; k < part.of.size(); ++k) counts.add(part.table.symbol(k), part.of[k]);
    part = {};
  }
}

}  // namespace

Vocabulary Vocabulary::build(Level level, const std::vector<std::string_view>& texts,
                             const VocabularyOptions& options) {
  if (options.max_size < 0 || options.max_size == 1 || options.min_count < 1)
    throw ArgumentError(
        "vocabulary: max_size must be 0 or at least 2 and min_count at least 1, got " +
        std::to_string(options.max_size) + " and " + std::to_string(options.min_count));
  const bool words = level == Level::word;
  Counts counts;
  for (std::size_t k = 0; k < texts.size(); ++k) {
    if (level != Level::byte) check_utf8(texts[k], "text " + std::to_string(k + 1));
    count_symbols(level, texts[k], options.lower_case && words, counts);
  }
  Index left_out = words ? counts.take(kUnknown) : 0;
  const Index ends = words ? counts.take(kEndOfLine) : 0;

  std::vector<std::size_t> kept;
  for (std::size_t k = 0; k < counts.of.size(); ++k)
    if (counts.of[k] >= options.min_count)
      kept.push_back(k);
    else
      left_out += counts.of[k];
  const auto by_bytes = [&](std::size_t a, std::size_t b) {
    return counts.table.symbol(a) < counts.table.symbol(b);
  };
  std::sort(kept.begin(), kept.end(), [&](std::size_t a, std::size_t b) {
    return counts.of[a] != counts.of[b] ? counts.of[a] > counts.of[b] : by_bytes(a, b);
  });
  const auto most = static_cast<std::size_t>(options.max_size);
  const auto all = kept.size() + (words ? 2 : left_out > 0 ? 1 : 0);
  if (most > 0 && all > most) {
    const std::size_t room = most - (words ? 2 : 1);
    for (std::size_t k = room; k < kept.size(); ++k) left_out += counts.of[kept[k]];
    kept.resize(std::min(room, kept.size()));
  }

  auto symbols = std::make_shared<Symbols>();
  symbols->level = level;
  symbols->lower_case = options.lower_case && words;
  if (words) {
    symbols->add(std::string(kUnknown), left_out);
    symbols->add(std::string(kEndOfLine), ends);
  } else {
    std::sort(kept.begin(), kept.end(), by_bytes);
  }
  for (const std::size_t k : kept) symbols->add(std::string(counts.table.symbol(k)), counts.of[k]);
  if (!words && left_out > 0) symbols->add(std::string(kUnknown), left_out);
  symbols->finish();
  return Vocabulary(std::move(symbols));
}

}  // namespace unroll::nn
