#include "text.hpp"

#include "utf8.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace char_lm {
namespace {

using unroll::FormatError;

std::string read_bytes(const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw FormatError(fmt::format("text: \"{}\" is a folder, expected a file", file));
  std::ifstream in(file, std::ios::binary);
  if (!in)
    throw FormatError(fmt::format("text: cannot open \"{}\": {}", file, std::strerror(errno)));
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) throw FormatError(fmt::format("text: cannot read \"{}\"", file));
  return bytes;
}

/// `'é' (U+00E9)`; a character that does not print stands as its code alone.
std::string name_of(char32_t symbol) {
  const auto code = fmt::format("U+{:04X}", static_cast<std::uint32_t>(symbol));
  const bool control = symbol < 0x20 || (symbol >= 0x7F && symbol < 0xA0);
  return control ? code : fmt::format("'{}' ({})", encode_utf8({&symbol, 1}), code);
}

}  // namespace

std::u32string read_text(const std::vector<std::string>& files) {
  std::u32string text;
  for (const std::string& file : files)
    text += decode_utf8(read_bytes(file), fmt::format("text: \"{}\"", file));
  if (text.empty())
    throw FormatError(fmt::format("text: no characters in {}",
                                  files.size() == 1 ? fmt::format("\"{}\"", files[0])
                                                    : fmt::format("{} files", files.size())));
  return text;
}

Vocabulary::Vocabulary(std::u32string_view text) {
  const std::set<char32_t> distinct(text.begin(), text.end());
  symbols_.assign(distinct.begin(), distinct.end());
  for (const char32_t symbol : symbols_) numbers_.emplace(symbol, numbers_.size());
}

std::vector<std::int32_t> Vocabulary::encode(std::u32string_view text,
                                             const std::string& source) const {
  std::vector<std::int32_t> numbers;
  numbers.reserve(text.size());
  std::set<char32_t> unknown;
  for (const char32_t symbol : text) {
    const auto found = numbers_.find(symbol);
    if (found == numbers_.end())
      unknown.insert(symbol);
    else
      numbers.push_back(found->second);
  }
  if (unknown.empty()) return numbers;

  constexpr std::size_t kNamed = 10;
  std::string names;
  std::size_t named = 0;
  for (auto it = unknown.begin(); it != unknown.end() && named < kNamed; ++it, ++named)
    names += (named > 0 ? ", " : "") + name_of(*it);
  if (unknown.size() > named) names += fmt::format(" and {} more", unknown.size() - named);
  throw FormatError(fmt::format("{}: the model never saw {} in training", source, names));
}

double unigram_entropy(std::span<const std::int32_t> text, Index vocabulary) {
  std::vector<double> counts(static_cast<std::size_t>(vocabulary));
  for (const std::int32_t number : text) counts[static_cast<std::size_t>(number)] += 1;
  double bits = 0;
  for (const double count : counts)
    if (count > 0) bits -= count * std::log2(count / static_cast<double>(text.size()));
  return bits / static_cast<double>(text.size());
}

Streams::Streams(std::span<const std::int32_t> text, Index count)
    : text_(text), count_(count), length_((static_cast<Index>(text.size()) - 1) / count) {}

Streams::Batch Streams::batch(Index begin, Index steps) const {
  const Index end = std::min(begin + steps, length_);
  Batch batch{unroll::Tensor::empty({end - begin, count_}, unroll::Dtype::int64),
              unroll::Tensor::empty({end - begin, count_}, unroll::Dtype::int64)};
  auto* inputs = batch.inputs.mutable_data<std::int64_t>();
  auto* targets = batch.targets.mutable_data<std::int64_t>();
  for (Index t = begin; t < end; ++t) {
    for (Index stream = 0; stream < count_; ++stream) {
      const auto at = static_cast<std::size_t>(stream * length_ + t);
      *inputs++ = text_[at];
      *targets++ = text_[at + 1];
    }
  }
  return batch;
}

}  // namespace char_lm
