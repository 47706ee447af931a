#pragma once

#include <autograd/kernels/packed.hpp>
#include <autograd/tensor/memory.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

namespace unroll::detail {

/// The packed forms of the matrices that the products of one tape multiply with. A matrix is packed
/// when it is used a second time: a weight that every step of a recurrence uses is, one that is
/// used once costs nothing.
class Packing {
 public:
  /// The packed form of `b: [K,N]`, or of its transpose, for a product of `rows` rows; null when
  /// the product should go to BLAS.
  const kernels::PackedMatrix* find(const Tensor& b, bool transposed, Index rows);
  /// Forgets everything: parameters are about to change.
  void clear() { entries_.clear(); }

 private:
  struct Entry {
    Shape shape;
    Strides strides;
    Tensor source;  // kept once packed, so that its memory is not used for another matrix
    std::array<int, 2> uses{};
    std::array<kernels::PackedMatrix, 2> packed;  // as it is, transposed
  };
  std::unordered_map<const void*, Entry, std::hash<const void*>, std::equal_to<>,
                     memory::Allocator<std::pair<const void* const, Entry>>>
      entries_;
};

}  // namespace unroll::detail
