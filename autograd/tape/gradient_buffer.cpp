#include <autograd/tape/accumulation.hpp>
#include <autograd/tape/gradient_buffer.hpp>
#include <autograd/tensor/copy.hpp>

#include <algorithm>

namespace unroll::detail {
void GradientBuffer::begin(const Shape& shape, Dtype dtype) {
  if (whole_.defined()) return;
  whole_ = Tensor::empty(shape, dtype);
  written_ = {};
}

/// True for a place without numbers that can join those written.
bool GradientBuffer::touches(Interval place) const {
  return written_.empty() || place.begin == written_.end || place.end == written_.begin;
}

void GradientBuffer::extend(Interval place) {
  if (written_.empty())
    written_ = place;
  else
    written_ = {std::min(written_.begin, place.begin), std::max(written_.end, place.end)};
}

void GradientBuffer::zero(Index from, Index to) {
  if (from >= to) return;
  Tensor gap = whole_.value().with_layout({to - from}, {1}, from);
  kernels::fill(gap, 0.0);
}

/// From here on every element holds a number.
void GradientBuffer::fill_gaps() {
  if (!reserved_.empty()) stop_placing();
  const Index size = whole_.value().size();
  if (written_ == Interval{0, size}) return;
  zero(0, written_.begin);
  zero(written_.end, size);
  written_ = {0, size};
}

void GradientBuffer::own() {
  if (whole_.value().unique() && whole_.value().is_contiguous()) return;
  whole_ = whole_.value().clone();
  placing_ = false;  // or every step that adds to what was placed would clone the whole again
}

/// Leaves the memory to those who were given a place in it.
void GradientBuffer::stop_placing() {
  whole_ = whole_.value().clone();
  reserved_ = {};
  placing_ = false;
}

void GradientBuffer::add(Variable g) {
  if (!whole_.defined()) {
    written_ = {0, g.value().size()};
    whole_ = std::move(g);
    return;
  }
  fill_gaps();
  if (whole_.value().unique() && whole_.value().is_contiguous()) {
    kernels::add_into(g.value(), whole_.value_);
  } else if (g.value().unique() && g.value().is_contiguous()) {
    kernels::add_into(whole_.value(), g.value_);
    whole_ = std::move(g);
  } else {
    whole_ = accumulation::sum(whole_, g);
  }
}

void GradientBuffer::add_recorded(Variable g) {
  written_ = {0, g.value().size()};
  whole_ = whole_.defined() ? accumulation::sum(whole_, g) : std::move(g);
}

void GradientBuffer::add(const Shape& shape, const Part& part, const Tensor& g) {
  begin(shape, g.dtype());
  const Index size = size_of(part.shape);
  if (size == 0) return;  // its offset may lie anywhere
  const Interval place{part.offset, part.offset + size};
  const bool in_one_piece = is_row_major(part.shape, part.strides);
  const auto target = [&] {
    return whole_.value().with_layout(part.shape, part.strides, part.offset);
  };
  if (!reserved_.empty()) {
    const bool came_back = in_one_piece && place == reserved_ && g.is_contiguous() &&
                           g.address() == target().address();
    if (came_back) {
      reserved_ = {};
      // Others may have been written meanwhile, and not beside it.
      if (!written_.empty()) {
        zero(written_.end, place.begin);
        zero(place.end, written_.begin);
      }
      extend(place);
      return;
    }
    if (!in_one_piece || place.overlaps(reserved_)) stop_placing();
  }
  if (in_one_piece && touches(place)) {
    Tensor free = target();
    kernels::copy(g, free);
    extend(place);
    return;
  }
  fill_gaps();
  own();
  Tensor sum = target();
  kernels::add_into(g, sum);
}

Tensor GradientBuffer::reserve(const Shape& shape, Dtype dtype, const Part& part) {
  if (!placing_ || !reserved_.empty() || !is_row_major(part.shape, part.strides)) return {};
  begin(shape, dtype);
  const Interval place{part.offset, part.offset + size_of(part.shape)};
  if (place.empty() || !touches(place)) return {};
  reserved_ = place;
  return whole_.value().with_layout(part.shape, part.strides, part.offset);
}

Tensor& GradientBuffer::writable(const Shape& shape, Dtype dtype) {
  begin(shape, dtype);
  fill_gaps();
  own();
  return whole_.value_;
}

Variable GradientBuffer::take() {
  if (whole_.defined()) fill_gaps();
  written_ = {};
  placing_ = true;
  return std::move(whole_);
}

}  // namespace unroll::detail
