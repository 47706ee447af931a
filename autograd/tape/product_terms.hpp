#pragma once

#include <autograd/tape/gradient_buffer.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace unroll::detail {

/// Terms a^T b of the gradient of one matrix, kept as pairs until it pays to multiply them:
/// concatenated, those of many steps are one product.
class ProductTerms {
 public:
  bool empty() const { return products_.empty(); }
  /// Of all left operands.
  Index rows() const { return rows_; }
  /// Of all operands.
  std::size_t bytes() const { return bytes_; }

  /// `a: [K,M]`, `b: [K,N]`, for the whole matrix `[M,N]` or for a part of one.
  void add(Tensor a, Tensor b, const std::optional<Part>& part);
  /// True when more in one call would not be faster, and `next`, which would be the next left
  /// operand, does not go on in memory where the last one is: it is of another piece of a sequence.
  bool is_enough_before(const Tensor& next) const;
  /// Adds the sum to the gradient of a matrix of this shape. No terms are left.
  void move_to(GradientBuffer& gradient, const Shape& shape, Dtype dtype);
  void clear();

 private:
  struct Product {
    Tensor a, b;
    std::size_t part;  // 0: all of the matrix, otherwise 1 + the index among parts_
  };
  template <class T>
  using Pooled = std::vector<T, memory::Allocator<T>>;

  static void add_sum(std::span<const Product> products, Tensor& total, double beta);
  static Tensor laid_out(std::span<const Product> products, Tensor Product::*operand,
                         bool backwards);
  static Tensor in_place(std::span<const Product> products, Tensor Product::*operand,
                         bool backwards);
  std::size_t number_of(const Part& part);

  Pooled<Product> products_;
  Pooled<Part> parts_;
  Index rows_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace unroll::detail
