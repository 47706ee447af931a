#include <autograd/tensor/error.hpp>
#include <nn/data/symbol_table.hpp>

#include <bit>
#include <cstring>
#include <limits>

namespace unroll::nn {
namespace {

template <class Word>
std::uint64_t load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio: Fibonacci hashing

constexpr std::size_t kShort = 7;  // bytes of symbols that are their own key

/// Bytes 0 to 6 are those of a short symbol, byte 7 is its size. The key of a longer one is a hash
/// with 255 there.
std::uint64_t key_of(std::string_view symbol) {
  const char* at = symbol.data();
  std::size_t left = symbol.size();
  if (left <= kShort) {
    std::uint64_t bytes = 0;
    if (left >= 4)
      bytes = load<std::uint32_t>(at) | load<std::uint32_t>(at + left - 4) << 8 * (left - 4);
    else if (left > 0)
      bytes = load<std::uint8_t>(at) | load<std::uint8_t>(at + left / 2) << 8 * (left / 2) |
              load<std::uint8_t>(at + left - 1) << 8 * (left - 1);
    return bytes | std::uint64_t{left} << 56U;
  }
  std::uint64_t hash = left;
  const auto mix = [&](std::uint64_t eight) {
    hash = (hash ^ eight) * kFactor;
    hash ^= hash >> 32U;
  };
  for (; left > 8; at += 8, left -= 8) mix(load<std::uint64_t>(at));
  mix(load<std::uint64_t>(symbol.data() + symbol.size() - 8));
  return hash | std::uint64_t{255} << 56U;
}

}  // namespace

std::size_t SymbolTable::first_slot(std::uint64_t key) const {
  return (key * kFactor) >> (std::countl_zero(slots_.size()) + 1);  // its highest bits
}

std::size_t SymbolTable::slot_of(std::string_view symbol, std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t k = first_slot(key);; k = (k + 1) & mask) {
    const Slot& slot = slots_[k];
    if (slot.number < 0) return k;
    if (slot.key == key &&
        (symbol.size() <= kShort || this->symbol(static_cast<std::size_t>(slot.number)) == symbol))
      return k;
  }
}

std::size_t SymbolTable::add(std::string_view symbol) {
  const std::uint64_t key = key_of(symbol);
  std::size_t k = slot_of(symbol, key);
  if (slots_[k].number >= 0) return static_cast<std::size_t>(slots_[k].number);
  if (size() == static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    throw ArgumentError("vocabulary: there are more than 2147483647 different symbols");
  if (2 * (size() + 1) > slots_.size()) {
    grow();
    k = slot_of(symbol, key);
  }
  slots_[k] = {key, static_cast<std::int32_t>(size())};
  text_.append(symbol);
  begins_.push_back(text_.size());
  return size() - 1;
}

std::int32_t SymbolTable::find(std::string_view symbol) const {
  return slots_[slot_of(symbol, key_of(symbol))].number;
}

void SymbolTable::prefetch(std::string_view symbol) const {
  __builtin_prefetch(&slots_[first_slot(key_of(symbol))]);
}

void SymbolTable::grow() {
  slots_.assign(2 * slots_.size(), Slot{});
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t number = 0; number < size(); ++number) {
    const std::uint64_t key = key_of(symbol(number));
    std::size_t k = first_slot(key);
    while (slots_[k].number >= 0) k = (k + 1) & mask;
    slots_[k] = {key, static_cast<std::int32_t>(number)};
  }
}

}  // namespace unroll::nn
