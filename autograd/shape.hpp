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
  Dims(std::initializer_list<Index> values);
  explicit Dims(std::span<const Index> values);
  Dims(int rank, Index value);

  int rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  Index operator[](int axis) const { return values_[static_cast<std::size_t>(axis)]; }
  Index& operator[](int axis) { return values_[static_cast<std::size_t>(axis)]; }
  Index back() const { return (*this)[rank_ - 1]; }

  const Index* begin() const { return values_.data(); }
  const Index* end() const { return values_.data() + rank_; }

  void push_back(Index value);
  void insert(int axis, Index value);
  void erase(int axis);

  friend bool operator==(const Dims& a, const Dims& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  std::array<Index, kMaxRank> values_{};
  int rank_ = 0;
};

using Shape = Dims;
using Strides = Dims;

/// Number of elements; 1 for rank 0.
Index size_of(const Shape& shape);

/// Row-major strides of a freshly made tensor.
Strides row_major(const Shape& shape);

/// `[35,20,200]`
std::string to_string(const Shape& shape);

/// The common shape of NumPy broadcasting: axes align at the right, a size of 1 stretches.
/// Throws ShapeError naming `operation` and both shapes.
Shape broadcast(const char* operation, const Shape& a, const Shape& b);

/// Turns an axis counted from the end (-1 is the last) into one counted from the front.
/// Throws ArgumentError naming `operation` when the axis lies outside the rank.
int normalize_axis(const char* operation, int axis, int rank);

}  // namespace unroll
