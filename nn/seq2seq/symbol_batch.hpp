#pragma once

#include <autograd/tensor/tensor.hpp>

#include <vector>

namespace unroll::nn {

/// Sequences of symbols of unequal length, time first.
struct SymbolBatch {
  Tensor symbols;              ///< [T,B] int64; what stands behind an end does not matter
  std::vector<Index> lengths;  ///< of each sequence, 0 to T

  /// `sequences[b][t]` to a batch as long as the longest, 0 behind the ends.
  static SymbolBatch of(const std::vector<std::vector<Index>>& sequences);

  Index batch() const { return static_cast<Index>(lengths.size()); }
  /// The symbols with `padding` behind the ends. Throws ShapeError unless they are int64 `[T,B]`
  /// with a length for each sequence, ArgumentError for a length outside 0..T or, before an end, a
  /// symbol outside 0..count-1. Messages begin with `name`.
  Tensor padded(const char* name, Index count, Index padding) const;
};

}  // namespace unroll::nn
