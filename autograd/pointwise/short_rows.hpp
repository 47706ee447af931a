#pragma once

#include <autograd/pointwise/pointwise.hpp>

#include <array>
#include <cstddef>

namespace unroll::detail {

/// Of one pointwise: inputs and outputs together.
inline constexpr std::size_t kMaxOperands = 32;

/// One address an operand, as a row kernel takes them.
struct Rows {
  std::array<const void*, kMaxOperands> in;
  std::array<void*, kMaxOperands> out;
  std::array<Index, kMaxOperands> step;  // 0 or 1, of inputs
};

/// A matrix of short rows, several of which become one row for the kernel: a call costs more than
/// the numbers of a short row. A bias is repeated, a column of factors spread, and rows that do not
/// follow each other in memory are copied together. Every element is computed as in a row of its
/// own.
class ShortRows {
 public:
  /// False for rows that are long enough, or too few to gain.
  static bool are_short(Index rows, Index n) { return n < kShort && rows >= 8; }

  ShortRows(Dtype dtype, Index rows, Index n)
      : dtype_(dtype), bytes_(static_cast<Index>(size_of(dtype))), rows_(rows), n_(n) {}

  /// `step`: elements from row to row, 0 when all rows are one; `spread`: a row is one number.
  void add_input(const void* address, Index step, bool spread);
  /// Null for an output that nobody wants.
  void add_output(void* address, Index step);

  /// False where copying rows would cost more than the calls.
  bool pays() const { return !has_gaps_ || n_ < kShort / 4; }

  void run(RowKernel kernel, const void* f);

 private:
  static constexpr Index kShort = 64;  // elements

  enum class Kind { number, in_place, repeated, copied, spread };
  template <class Byte>
  struct Operand {
    Byte* at;  // its first row
    Index step;
    Kind kind;
    bool is_staged() const { return kind != Kind::number && kind != Kind::in_place; }
  };
  using Input = Operand<const std::byte>;
  using Output = Operand<std::byte>;

  template <class Byte>
  Byte* row_of(const Operand<Byte>& operand, Index row) const {
    return operand.at + row * operand.step * bytes_;
  }
  void fill(const Input& x, Index row, Index count, std::byte* to) const;

  Dtype dtype_;
  Index bytes_, rows_, n_;
  bool has_gaps_ = false;
  std::array<Input, kMaxOperands> inputs_;
  std::array<Output, kMaxOperands> outputs_;
  std::size_t input_count_ = 0, output_count_ = 0;
};

}  // namespace unroll::detail
