#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace unroll {

/// Sizes, positions and strides (counted in elements). Signed, so that -1 can mean "the last".
using Index = std::int64_t;

/// Highest rank a tensor may have.
inline constexpr int kMaxRank = 6;

/// A short list of numbers, one an axis, stored in place: the sizes of a tensor or its strides.
class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<Index> values) : Dims(std::span(values.begin(), values.size())) {}
  explicit Dims(std::span<const Index> values) : rank_(checked(values.size())) {
    for (std::size_t i = 0; i < values.size(); ++i) values_[i] = values[i];
  }
  Dims(int rank, Index value) : rank_(checked(static_cast<std::size_t>(rank))) {
    for (int i = 0; i < rank_; ++i) (*this)[i] = value;
  }

  int rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  /// Throws ShapeError for an axis outside 0..rank-1.
  Index operator[](int axis) const { return values_[place(axis)]; }
  Index& operator[](int axis) { return values_[place(axis)]; }
  /// Of the last axis. Throws ShapeError when there is none.
  Index back() const { return (*this)[rank_ - 1]; }

  const Index* begin() const { return values_.data(); }
  const Index* end() const { return values_.data() + rank_; }

  /// Appends an axis. Throws ShapeError beyond the largest rank.
  void push_back(Index value) { insert(rank_, value); }
  /// Inserts an axis before `axis`. Throws ShapeError beyond the largest rank.
  void insert(int axis, Index value);
  /// Removes an axis.
  void erase(int axis);

  friend bool operator==(const Dims& a, const Dims& b) {
    if (&a == &b) return true;
    if (a.rank_ != b.rank_) return false;
    for (std::size_t i = 0; i < static_cast<std::size_t>(a.rank_); ++i)
      if (a.values_[i] != b.values_[i]) return false;
    return true;
  }

 private:
  std::size_t place(int axis) const {
    if (static_cast<unsigned>(axis) >= static_cast<unsigned>(rank_)) [[unlikely]]
      throw_axis(axis);
    return static_cast<std::size_t>(axis);
  }
  [[noreturn]] void throw_axis(int axis) const;
  [[noreturn]] static void throw_rank(std::size_t rank);
  static int checked(std::size_t rank) {
    if (rank > static_cast<std::size_t>(kMaxRank)) [[unlikely]]
      throw_rank(rank);
    return static_cast<int>(rank);
  }

  std::array<Index, kMaxRank> values_{};
  int rank_ = 0;
};

/// Sizes, one an axis.
using Shape = Dims;
/// Steps between neighbours, counted in elements, one an axis.
using Strides = Dims;

/// Number of elements; 1 for rank 0.
inline Index size_of(const Shape& shape) {
  Index size = 1;
  for (Index n : shape) size *= n;
  return size;
}

/// Row-major strides of a freshly made tensor.
inline Strides row_major(const Shape& shape) {
  Strides strides = shape;
  Index step = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = step;
    step *= shape[axis] > 1 ? shape[axis] : 1;
  }
  return strides;
}

/// True when the elements lie one after the other in row-major order.
inline bool is_row_major(const Shape& shape, const Strides& strides) {
  Index expected = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    if (shape[axis] == 0) return true;
    if (shape[axis] != 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/// True when every two positions have different offsets, by a test that is sufficient: each axis
/// steps over all that the axes of smaller strides reach.
bool is_disjoint(const Shape& shape, const Strides& strides);

/// `[35,20,200]`
std::string to_string(const Shape& shape);

/// The common shape of NumPy broadcasting: axes align at the right, a size of 1 broadcasts.
/// Throws ShapeError naming `operation` and both shapes.
Shape broadcast(const char* operation, const Shape& a, const Shape& b);

namespace detail {
[[noreturn]] void throw_axis(const char* operation, int axis, int rank);
}  // namespace detail

/// Turns an axis counted from the end (-1 is the last) into one counted from the front.
/// Throws ArgumentError naming `operation` when the axis lies outside the rank.
inline int normalize_axis(const char* operation, int axis, int rank) {
  const int normalized = axis < 0 ? axis + rank : axis;
  if (normalized < 0 || normalized >= rank) [[unlikely]]
    detail::throw_axis(operation, axis, rank);
  return normalized;
}

}  // namespace unroll
