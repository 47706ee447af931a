#pragma once

#include <autograd/tensor/tensor.hpp>

namespace unroll::kernels {

/// A float32 matrix `b: [K,N]` laid out for products with few rows: panels of neighbouring columns,
/// each with its rows one after the other, so that the product reads it straight through. Worth it
/// for a weight that every step of a recurrence multiplies with; BLAS lays its operands out anew on
/// every call.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  /// `b`: [K,N] float32, any strides.
  explicit PackedMatrix(const Tensor& b);

  bool defined() const { return panels_.defined(); }

  /// c = start + a b; `a: [M,K]` with unit stride along K or along M, `start` and `c: [M,N]` with
  /// unit stride along N; float32. An undefined start is zero; it may be c, and its rows may all be
  /// one.
  void multiply(const Tensor& a, const Tensor& start, Tensor& c) const;

  /// True for products that are faster this way than in BLAS: not many rows; few only of a matrix
  /// that stays in the caches.
  static bool pays(Dtype dtype, Index rows, Index inner, Index columns);
  /// True when one product is worth the packing: many rows, of a matrix that stays in the caches.
  static bool pays_once(Dtype dtype, Index rows, Index inner, Index columns);

 private:
  Tensor panels_;  // [ceil(N / width), K, width]
  Index inner_ = 0;
  Index columns_ = 0;
};

}  // namespace unroll::kernels
