#pragma once

#include <autograd/tape/variable.hpp>

#include <cstdint>

namespace unroll::detail {

/// Where a part of a variable lies among its elements, counted in row-major order. No two elements
/// of the part may lie at the same place.
struct Part {
  Shape shape;
  Strides strides;
  Index offset = 0;
  friend bool operator==(const Part&, const Part&) = default;
};

/// The dense gradient of one variable while its terms come in. A part that is the first to be
/// written at its place is copied, not added, so a sequence whose steps arrive one after the other
/// is never filled with zeros; a gradient that was computed at its place already is not even
/// copied. Nobody sees a number that may still change: what others hold is cloned before it would
/// be written to.
class GradientBuffer {
 public:
  bool defined() const { return whole_.defined(); }

  /// Adds `g`, of the shape of the variable.
  void add(Variable g);
  /// The same by a recorded operation, for backward passes that are differentiated. Not to be mixed
  /// with parts.
  void add_recorded(Variable g);
  /// Adds `g` to a part of a variable of this shape.
  void add(const Shape& shape, const Part& part, const Tensor& g);

  /// Memory at the place of a part, to compute its gradient in; undefined when that place is not
  /// free. What is computed there must come back through add() next for this place, or be given
  /// back.
  Tensor reserve(const Shape& shape, Dtype dtype, const Part& part);

  /// Ends a reservation for which nothing was computed.
  void give_back() { reserved_ = {}; }

  /// A tensor of the variable's shape to add to in place, zeros where nothing has been written.
  Tensor& writable(const Shape& shape, Dtype dtype);

  /// The sum. The buffer is empty afterwards.
  Variable take();

 private:
  /// Elements begin .. end of the row-major order.
  struct Interval {
    Index begin = 0;
    Index end = 0;
    bool empty() const { return begin == end; }
    bool overlaps(Interval other) const { return begin < other.end && other.begin < end; }
    friend bool operator==(Interval, Interval) = default;
  };

  void begin(const Shape& shape, Dtype dtype);
  bool touches(Interval place) const;
  void extend(Interval place);
  void zero(Index from, Index to);
  void fill_gaps();
  void own();
  void stop_placing();

  Variable whole_;
  Interval written_;   // the rest of whole_ holds no values yet
  Interval reserved_;  // handed out by reserve() and not yet come back
  bool placing_ = true;
};

}  // namespace unroll::detail
