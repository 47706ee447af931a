#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::nn {

/// Numbers strings from 0 in the order in which they are added. A hash table with open addressing
/// whose strings are concatenated: for the words of a text several times as fast as
/// std::unordered_map.
class SymbolTable {
 public:
  /// The number of a symbol, which is added if it is new. Throws ArgumentError for more than
  /// 2^31 - 1 symbols.
  std::size_t add(std::string_view symbol);
  /// The number of a symbol, -1 when it is not there.
  std::int32_t find(std::string_view symbol) const;

  /// Has the processor fetch what a search for this symbol will read.
  void prefetch(std::string_view symbol) const;

  std::size_t size() const { return begins_.size() - 1; }
  /// Valid until the next add().
  std::string_view symbol(std::size_t number) const {
    return std::string_view(text_).substr(begins_[number], begins_[number + 1] - begins_[number]);
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    std::int32_t number = -1;
  };
  std::size_t first_slot(std::uint64_t key) const;
  /// The slot of a symbol, or the free one where it belongs. There is always a free one.
  std::size_t slot_of(std::string_view symbol, std::uint64_t key) const;
  void grow();

  std::vector<Slot> slots_ = std::vector<Slot>(64);  // a power of two, at most half of them taken
  std::string text_;
  std::vector<std::size_t> begins_{0};  // in text_, and its end
};

}  // namespace unroll::nn
