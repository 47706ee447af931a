#include "range_coder.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace lm::range_coder {
namespace {

constexpr int kTopShift = 48;  // of the byte that is written next
constexpr std::uint64_t kLeast = std::uint64_t{1} << kTopShift;
constexpr std::uint64_t kMask = (std::uint64_t{1} << 56) - 1;

}  // namespace

std::vector<std::uint32_t> frequencies(std::span<const double> logits) {
  constexpr std::size_t kMostSymbols = std::size_t{1} << 20;
  if (logits.empty() || logits.size() > kMostSymbols)
    throw unroll::ArgumentError(
        fmt::format("frequencies: expected 1 to {} logits, got {}", kMostSymbols, logits.size()));
  if (!std::all_of(logits.begin(), logits.end(), [](double x) { return std::isfinite(x); }))
    throw unroll::ArgumentError("frequencies: a logit is not finite");
  const auto likeliest = std::max_element(logits.begin(), logits.end());
  std::vector<double> weights(logits.size());
  double sum = 0;
  for (std::size_t k = 0; k < weights.size(); ++k)
    sum += weights[k] = std::exp(logits[k] - *likeliest);

  const auto shared = static_cast<double>(kTotal - logits.size());
  std::vector<std::uint32_t> result(logits.size());
  std::uint32_t left = kTotal;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    // min: so that no rounding of the sum can make the frequencies sum to more.
    const auto extra = static_cast<std::uint32_t>(weights[k] / sum * shared);
    const auto others = static_cast<std::uint32_t>(weights.size() - k - 1);
    result[k] = std::min(1 + extra, left - others);
    left -= result[k];
  }
  result[static_cast<std::size_t>(std::distance(logits.begin(), likeliest))] += left;
  return result;
}

void Encoder::encode(std::span<const std::uint32_t> frequencies, std::size_t symbol) {
  std::uint64_t before = 0;
  for (std::size_t k = 0; k < symbol; ++k) before += frequencies[k];
  const std::uint64_t unit = range_ >> kTotalBits;
  low_ += unit * before;
  range_ = unit * frequencies[symbol];
  carry();
  while (range_ < kLeast) {
    bytes_ += static_cast<char>(low_ >> kTopShift);
    low_ = (low_ << 8) & kMask;
    range_ <<= 8;
  }
}

void Encoder::carry() {
  if (low_ <= kMask) return;
  low_ &= kMask;
  for (std::size_t at = bytes_.size(); at-- > 0;) {
    bytes_[at] = static_cast<char>(static_cast<unsigned char>(bytes_[at]) + 1);
    if (bytes_[at] != 0) break;
  }
}

std::string Encoder::finish() {
  // The number in [low, low + range) with zeros after its first byte: range is at least kLeast.
  low_ = (low_ + kLeast - 1) & ~(kLeast - 1);
  carry();
  bytes_ += static_cast<char>(low_ >> kTopShift);
  return std::move(bytes_);
}

Decoder::Decoder(std::string_view bytes) : bytes_(bytes) {
  for (int i = 0; i < 7; ++i) code_ = code_ << 8 | next_byte();
}

std::uint64_t Decoder::next_byte() {
  return at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_++]) : 0;
}

std::size_t Decoder::decode(std::span<const std::uint32_t> frequencies) {
  const std::uint64_t unit = range_ >> kTotalBits;
  const std::uint64_t at = std::min<std::uint64_t>(code_ / unit, kTotal - 1);
  std::uint64_t before = 0;
  std::size_t symbol = 0;
  while (before + frequencies[symbol] <= at) before += frequencies[symbol++];
  code_ -= unit * before;
  range_ = unit * frequencies[symbol];
  while (range_ < kLeast) {
    code_ = (code_ << 8 | next_byte()) & kMask;
    range_ <<= 8;
  }
  return symbol;
}

}  // namespace lm::range_coder
