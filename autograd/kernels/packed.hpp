#pragma once

#include <autograd/tensor.hpp>

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

  /// c = a b, or c += a b; `a: [M,K]` with unit stride along K, `c: [M,N]` with unit stride along
  /// N; float32.
  void multiply(const Tensor& a, Tensor& c, bool add) const;

  /// True for products that are faster this way than in BLAS: several rows, but not many.
  static bool pays(Dtype dtype, Index rows, Index inner, Index columns);

 private:
  Tensor panels_;  // [ceil(N / width), K, width]
  Index inner_ = 0;
  Index columns_ = 0;
};

}  // namespace unroll::kernels
