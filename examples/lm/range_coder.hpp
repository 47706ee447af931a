#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lm {

/// A range coder (Martin, 1979) whose carry is added to the bytes already written: arithmetic
/// coding that writes whole bytes. A symbol of frequency f costs log2(kTotal / f) bits and at
/// most 2^-25 bits more; the whole at most two bytes more.
namespace range_coder {

inline constexpr int kTotalBits = 22;
inline constexpr std::uint32_t kTotal = 1U << kTotalBits;  ///< sum of all frequencies

/// Whole numbers, all at least 1, that sum to kTotal and are close to kTotal times the
/// probabilities. Depends on nothing but the arguments and std::exp, bit for bit. `logits`: 1 to
/// 2^20 of them. Throws ArgumentError for none, too many, and one that is not finite.
std::vector<std::uint32_t> frequencies(std::span<const double> logits);

class Encoder {
 public:
  /// Appends a symbol, an index of `frequencies`.
  void encode(std::span<const std::uint32_t> frequencies, std::size_t symbol);
  /// All bytes. The encoder is of no more use.
  std::string finish();

 private:
  void carry();

  std::uint64_t low_ = 0;  // 56 bits
  std::uint64_t range_ = std::uint64_t{1} << 56;
  std::string bytes_;
};

class Decoder {
 public:
  /// Keeps a view of the bytes of Encoder::finish(). Zeros follow them.
  explicit Decoder(std::string_view bytes);
  /// The next symbol, given the frequencies that it was encoded with. Wrong bytes give wrong
  /// symbols.
  std::size_t decode(std::span<const std::uint32_t> frequencies);

 private:
  std::uint64_t next_byte();

  std::string_view bytes_;
  std::size_t at_ = 0;
  std::uint64_t code_ = 0;  // the number in the bytes, minus the encoder's low_
  std::uint64_t range_ = std::uint64_t{1} << 56;
};

}  // namespace range_coder

}  // namespace lm
