#pragma once

#include <autograd/kernels/parallel.hpp>
#include <nn/data/mapped_file.hpp>
#include <nn/data/tokens.hpp>

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

/// Passes over large texts go piece by piece, in several threads.
namespace unroll::nn {

inline constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;

inline std::size_t count_pieces(std::string_view text) {
  return (text.size() + kPieceBytes - 1) / kPieceBytes;
}

/// In how many parts for_each_piece is to go through a text.
inline int parts_of(std::string_view text) {
  constexpr double kCost = 20;  // of a byte, in floating-point operations
  return kernels::parts_for(kCost * static_cast<double>(text.size()));
}

/// Calls body(part, k, piece) for the k-th piece of a text, which begins at the first boundary
/// between symbols from byte k kPieceBytes on, and ends where the next one begins. Each part takes
/// pieces that follow each other, in their order; where the text is cut does not depend on the
/// number of parts. Of a mapped file 1 MiB a part is in memory.
template <class Body>
void for_each_piece(Level level, std::string_view text, int parts, const Body& body) {
  constexpr std::size_t kResident = std::size_t{1} << 20U;
  kernels::parallel_for(parts, [&](int part) {
    const auto [first, last] =
        kernels::part_of(static_cast<Index>(count_pieces(text)), parts, part, 1);
    const auto cut = [&](Index k) {
      return std::min(static_cast<std::size_t>(k) * kPieceBytes, text.size());
    };
    std::size_t begin = first == 0 ? 0 : token_boundary(level, text, cut(first));
    std::size_t released = begin;
    for (Index k = first; k < last; ++k) {
      // A symbol that is longer than a piece is not searched for its end again.
      const std::size_t end = std::max(begin, cut(k + 1));
      const std::size_t next = end == begin ? begin : token_boundary(level, text, end);
      body(part, static_cast<std::size_t>(k), text.substr(begin, next - begin));
      begin = next;
      if (begin - released < kResident && k + 1 < last) continue;
      release_pages(text.substr(released, begin - released));
      released = begin;
    }
  });
}

}  // namespace unroll::nn
