#include <autograd/tensor/error.hpp>
#include <nn/data/tokens.hpp>
#include <nn/data/utf8.hpp>
#include <nn/data/vocabulary.hpp>
#include <nn/data/vocabulary_symbols.hpp>

#include <cmath>
#include <cstddef>
#include <set>
#include <utility>

namespace unroll::nn {

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
  const std::int32_t found = symbols_->numbers.find(kUnknown);
  if (found < 0) return {};
  return found;
}

std::int32_t Vocabulary::find(std::string_view symbol) const {
  if (symbol.size() == 1 && !symbols_->lower_case)
    return symbols_->of_byte[static_cast<unsigned char>(symbol[0])];
  return symbols_->numbers.find(symbols_->lower_case ? std::string_view(lowered(symbol)) : symbol);
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
  if (one == kEndOfLine) return "\n";
  return text.empty() || text.back() == '\n' ? one : ' ' + one;
}

std::string Vocabulary::decode(std::span<const std::int32_t> numbers) const {
  std::string text;
  for (const std::int32_t number : numbers) text += written_after(text, number);
  return text;
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

}  // namespace unroll::nn
