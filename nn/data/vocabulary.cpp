#include <autograd/kernels/parallel.hpp>
#include <autograd/tensor/error.hpp>
#include <nlohmann/json.hpp>
#include <nn/data/utf8.hpp>
#include <nn/data/vocabulary.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>

namespace unroll::nn {
namespace {

constexpr const char* kUnknown = "<unk>";
constexpr const char* kEnd = "<eos>";

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

std::string lowered(std::string_view word) {
  std::string lower(word);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
template <class Value>
using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;
using Counts = Map<Index>;

/// Counts the symbols of one part of a text.
void count_part(Level level, std::string_view text, bool lower_case, Counts& counts) {
  if (level != Level::word) {
    std::array<Index, 256> ones{};  // symbols of one byte, which are most
    for (std::size_t at = 0; at < text.size();) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if (level == Level::byte || byte < 0x80) {
        ++ones[byte];
        ++at;
        continue;
      }
      const Token token = next_token(level, text.substr(at));
      at += token.bytes;
      const auto found = counts.find(token.text);
      if (found != counts.end())
        ++found->second;
      else
        counts.emplace(token.text, 1);
    }
    for (std::size_t byte = 0; byte < ones.size(); ++byte)
      if (ones[byte] > 0) counts[std::string(1, static_cast<char>(byte))] += ones[byte];
    return;
  }
  for (std::size_t at = 0; at < text.size();) {
    const Token token = next_token(level, text.substr(at));
    if (token.bytes == 0) break;
    at += token.bytes;
    const std::string lower = lower_case ? lowered(token.text) : "";
    const std::string_view word = lower_case ? lower : token.text;
    const auto found = counts.find(word);
    if (found != counts.end())
      ++found->second;
    else
      counts.emplace(word, 1);
  }
}

/// Counts the symbols of a text in several threads.
Counts count_symbols(Level level, std::string_view text, bool lower_case) {
  constexpr double kCost = 20;  // of a byte
  const int parts = kernels::parts_for(kCost * static_cast<double>(text.size()));
  const auto cut = [&](int part) {
    return token_boundary(
        level, text,
        text.size() / static_cast<std::size_t>(parts) * static_cast<std::size_t>(part));
  };
  std::vector<Counts> counts(static_cast<std::size_t>(parts));
  kernels::parallel_for(parts, [&](int part) {
    const std::size_t begin = part == 0 ? 0 : cut(part);
    const std::size_t end = part + 1 == parts ? text.size() : cut(part + 1);
    count_part(level, text.substr(begin, end - begin), lower_case,
               counts[static_cast<std::size_t>(part)]);
  });
  for (std::size_t k = 1; k < counts.size(); ++k)
    for (const auto& [symbol, number] : counts[k]) counts[0][symbol] += number;
  return std::move(counts[0]);
}

}  // namespace

std::string to_string(Level level) {
  return level == Level::byte ? "byte" : level == Level::character ? "character" : "word";
}

Level level_from(const std::string& name) {
  for (const Level level : {Level::byte, Level::character, Level::word})
    if (to_string(level) == name) return level;
  throw ArgumentError("level: expected byte, character or word, got \"" + name + '"');
}

Token next_token(Level level, std::string_view rest) {
  if (rest.empty()) return {};
  if (level == Level::byte) return {rest.substr(0, 1), 1};
  if (level == Level::character) {
    const auto lead = static_cast<unsigned char>(rest[0]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string_view symbol = rest.substr(0, length);
    return {symbol, symbol.size()};
  }
  std::size_t begin = 0;
  while (begin < rest.size() && is_space(rest[begin])) ++begin;
  if (begin == rest.size()) return {};
  if (rest[begin] == '\n') return {kEnd, begin + 1};
  std::size_t end = begin;
  while (end < rest.size() && rest[end] != '\n' && !is_space(rest[end])) ++end;
  return {rest.substr(begin, end - begin), end};
}

std::size_t token_boundary(Level level, std::string_view text, std::size_t at) {
  const auto inside = [&](char c) {
    if (level == Level::word) return c != '\n' && !is_space(c);
    return level == Level::character && (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
  };
  while (at < text.size() && inside(text[at])) ++at;
  return at;
}

struct Vocabulary::Symbols {
  Level level = Level::character;
  bool lower_case = false;
  std::vector<std::string> symbols;
  std::vector<Index> counts;
  Map<std::int32_t> numbers;
  std::array<std::int32_t, 256> of_byte{};  // those of symbols of one byte, without a search

  void add(std::string symbol, Index count) {
    numbers.emplace(symbol, static_cast<std::int32_t>(symbols.size()));
    symbols.push_back(std::move(symbol));
    counts.push_back(count);
  }
  void finish() {
    for (std::size_t byte = 0; byte < of_byte.size(); ++byte) {
      const auto found = numbers.find(std::string_view(std::string(1, static_cast<char>(byte))));
      of_byte[byte] = found == numbers.end() ? -1 : found->second;
    }
  }
};

Vocabulary Vocabulary::build(Level level, const std::vector<std::string_view>& texts,
                             const VocabularyOptions& options) {
  if (options.max_size < 0 || options.max_size == 1 || options.min_count < 1)
    throw ArgumentError(
        "vocabulary: max_size must be 0 or at least 2 and min_count at least 1, got " +
        std::to_string(options.max_size) + " and " + std::to_string(options.min_count));
  Counts counts;
  for (std::size_t k = 0; k < texts.size(); ++k) {
    if (level != Level::byte) check_utf8(texts[k], "text " + std::to_string(k + 1));
    for (auto& [symbol, number] :
         count_symbols(level, texts[k], options.lower_case && level == Level::word))
      counts[symbol] += number;
  }
  Index left_out = 0;
  const auto take_special = [&](const char* name) {
    const auto special = counts.extract(name);
    return special ? special.mapped() : Index{0};
  };
  const bool words = level == Level::word;
  const Index unknown = words ? take_special(kUnknown) : 0;
  const Index ends = words ? take_special(kEnd) : 0;

  std::vector<std::pair<std::string, Index>> kept;
  for (const auto& [symbol, number] : counts)
    if (number >= options.min_count)
      kept.emplace_back(symbol, number);
    else
      left_out += number;
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  const auto most = static_cast<std::size_t>(options.max_size);
  const auto all = kept.size() + (words ? 2 : left_out > 0 ? 1 : 0);
  if (most > 0 && all > most) {
    const std::size_t room = most - (words ? 2 : 1);
    for (std::size_t k = room; k < kept.size(); ++k) left_out += kept[k].second;
    kept.resize(std::min(room, kept.size()));
  }
  if (kept.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()) - 2)
    throw ArgumentError("vocabulary: " + std::to_string(kept.size()) +
                        " different symbols are too many; set min_count or max_size");

  auto symbols = std::make_shared<Symbols>();
  symbols->level = level;
  symbols->lower_case = options.lower_case && words;
  if (words) {
    symbols->add(kUnknown, unknown + left_out);
    symbols->add(kEnd, ends);
  } else {
    std::sort(kept.begin(), kept.end());
  }
  for (auto& [symbol, number] : kept) symbols->add(std::move(symbol), number);
  if (!words && left_out > 0) symbols->add(kUnknown, left_out);
  symbols->finish();
  return Vocabulary(std::move(symbols));
}

Level Vocabulary::level() const { return symbols_->level; }
Index Vocabulary::size() const { return static_cast<Index>(symbols_->symbols.size()); }

const std::string& Vocabulary::symbol(Index number) const {
  if (number < 0 || number >= size())
    throw ArgumentError("vocabulary: there is no symbol " + std::to_string(number) + " of " +
                        std::to_string(size()));
  return symbols_->symbols[static_cast<std::size_t>(number)];
}

const std::vector<Index>& Vocabulary::counts() const { return symbols_->counts; }

std::optional<Index> Vocabulary::unknown() const {
  const auto found = symbols_->numbers.find(std::string_view(kUnknown));
  if (found == symbols_->numbers.end()) return {};
  return found->second;
}

std::int32_t Vocabulary::find(std::string_view symbol) const {
  if (symbol.size() == 1 && !symbols_->lower_case)
    return symbols_->of_byte[static_cast<unsigned char>(symbol[0])];
  const auto found = symbols_->lower_case
                         ? symbols_->numbers.find(std::string_view(lowered(symbol)))
                         : symbols_->numbers.find(symbol);
  return found == symbols_->numbers.end() ? -1 : found->second;
}

std::int32_t Vocabulary::number(std::string_view symbol) const {
  const std::int32_t found = find(symbol);
  if (found >= 0) return found;
  const auto other = unknown();
  if (!other)
    throw FormatError("text: the model never saw " + describe_symbol(level(), symbol) +
                      " in training, and its vocabulary has no <unk>");
  return static_cast<std::int32_t>(*other);
}

std::vector<std::int32_t> Vocabulary::encode(std::string_view text, const std::string& source,
                                             Unknown unknown) const {
  if (level() != Level::byte) check_utf8(text, source);
  std::vector<std::int32_t> numbers;
  std::set<std::string> strange;
  for (std::size_t at = 0; at < text.size();) {
    const Token token = next_token(level(), text.substr(at));
    if (token.bytes == 0) break;
    at += token.bytes;
    const std::int32_t found = find(token.text);
    if (found >= 0)
      numbers.push_back(found);
    else if (unknown == Unknown::map && this->unknown())
      numbers.push_back(static_cast<std::int32_t>(*this->unknown()));
    else if (unknown != Unknown::skip)
      strange.emplace(token.text);
  }
  if (strange.empty()) return numbers;

  constexpr std::size_t kNamed = 10;
  std::string names;
  std::size_t named = 0;
  for (auto it = strange.begin(); it != strange.end() && named < kNamed; ++it, ++named)
    names.append(named > 0 ? ", " : "").append(describe_symbol(level(), *it));
  if (strange.size() > named)
    names.append(" and ").append(std::to_string(strange.size() - named)).append(" more");
  throw FormatError(source + ": the model never saw " + names + " in training" +
                    (unknown == Unknown::map ? ", and its vocabulary has no <unk> to map to" : ""));
}

std::string Vocabulary::written_after(std::string_view text, Index number) const {
  const std::string& one = symbol(number);
  if (level() != Level::word) return one;
  if (one == kEnd) return "\n";
  return text.empty() || text.back() == '\n' ? one : ' ' + one;
}

std::string Vocabulary::decode(std::span<const std::int32_t> numbers) const {
  std::string text;
  for (const std::int32_t number : numbers) text += written_after(text, number);
  return text;
}

std::string Vocabulary::serialise() const {
  nlohmann::json symbols = nlohmann::json::array();
  for (const std::string& one : symbols_->symbols)
    if (level() == Level::byte && one.size() == 1)
      symbols.push_back(static_cast<unsigned char>(one[0]));
    else
      symbols.push_back(one);
  return nlohmann::json{{"level", to_string(level())},
                        {"lower_case", symbols_->lower_case},
                        {"symbols", std::move(symbols)},
                        {"counts", symbols_->counts}}
      .dump();
}

Vocabulary Vocabulary::parse(const std::string& text, const std::string& where) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw FormatError(where + ": " + what);
  };
  const nlohmann::json all = nlohmann::json::parse(text, nullptr, false);
  require(all.is_object() && all.contains("level") && all.at("level").is_string() &&
              all.contains("lower_case") && all.at("lower_case").is_boolean() &&
              all.contains("symbols") && all.at("symbols").is_array() && all.contains("counts") &&
              all.at("counts").is_array() && all.at("counts").size() == all.at("symbols").size(),
          "expected level, lower_case, symbols and as many counts");
  auto read = std::make_shared<Symbols>();
  const auto name = all.at("level").get<std::string>();
  require(name == "byte" || name == "character" || name == "word",
          "level: expected byte, character or word");
  read->level = level_from(name);
  read->lower_case = all.at("lower_case").get<bool>();
  require(!all.at("symbols").empty(), "there are no symbols");
  for (std::size_t k = 0; k < all.at("symbols").size(); ++k) {
    const nlohmann::json& symbol = all.at("symbols")[k];
    const nlohmann::json& count = all.at("counts")[k];
    const std::string which = "symbol " + std::to_string(k) + ": ";
    require(count.is_number_integer() && count.get<Index>() >= 0, which + "a count is wrong");
    const bool byte = symbol.is_number_unsigned() && symbol.get<std::uint64_t>() < 256;
    require(byte ? read->level == Level::byte : symbol.is_string(), which + "not a symbol");
    std::string one = byte ? std::string(1, static_cast<char>(symbol.get<unsigned>()))
                           : symbol.get<std::string>();
    const bool special = one == kUnknown || (one == kEnd && read->level == Level::word);
    const Token token = one.empty() ? Token{} : next_token(read->level, one);
    require(special || (token.text == one && (byte || read->level != Level::byte)),
            which + "not one symbol of this level");
    require(!read->numbers.contains(one), which + "is there twice");
    read->add(std::move(one), count.get<Index>());
  }
  read->finish();
  return Vocabulary(std::move(read));
}

double unigram_entropy(std::span<const Index> counts) {
  double all = 0.0, sum = 0.0;
  for (const Index count : counts) {
    const auto n = static_cast<double>(count);
    all += n;
    if (count > 0) sum += n * std::log2(n);
  }
  return std::log2(all) - sum / all;
}

std::string describe_symbol(Level level, std::string_view symbol) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto hexadecimal = [&](std::uint32_t number, int least) {
    std::string digits;
    for (; number > 0 || static_cast<int>(digits.size()) < least; number /= 16)
      digits.insert(digits.begin(), kDigits[number % 16]);
    return digits;
  };
  if (level == Level::byte && symbol.size() == 1)
    return "byte 0x" + hexadecimal(static_cast<unsigned char>(symbol[0]), 2);
  char32_t point = 0;
  if (level == Level::word || symbol.empty() || decode_code_point(symbol, point) != symbol.size()) {
    constexpr std::size_t kShown = 40;
    return '"' + std::string(symbol.substr(0, kShown)) + (symbol.size() > kShown ? "...\"" : "\"");
  }
  const std::string code = "U+" + hexadecimal(point, 4);
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  return control ? code : '\'' + std::string(symbol) + "' (" + code + ')';
}

}  // namespace unroll::nn
