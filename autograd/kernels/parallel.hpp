#pragma once

#include <autograd/tensor/shape.hpp>

namespace unroll::kernels {

/// Runs `body(part)` for every part in 0..parts-1, on the calling thread and on as many others as
/// set_threads allows. Parts must not depend on each other; which thread runs which is not fixed,
/// so the cut into parts must not depend on it either. When the other threads are busy the caller
/// does all the work itself, as in a part of another job. When a part throws, the others still run,
/// and the caller gets the first exception.
template <class F>
void parallel_for(int parts, const F& body);

namespace detail {
void run_parts(int parts, void (*body)(const void* context, int part), const void* context);
}  // namespace detail

template <class F>
void parallel_for(int parts, const F& body) {
  if (parts == 1) {
    body(0);
    return;
  }
  detail::run_parts(
      parts, [](const void* context, int part) { (*static_cast<const F*>(context))(part); }, &body);
}

/// Number of parts that `work` (floating-point operations, or elements times the cost of each) is
/// worth cutting into: 1 when handing parts over would cost more than it saves, at most
/// `threads()`.
int parts_for(double work);

/// First and last position of a part when `size` is cut evenly at multiples of `grain`.
struct Range {
  Index begin, end;
};
inline Range part_of(Index size, int parts, int part, Index grain) {
  const Index grains = (size + grain - 1) / grain;
  const auto at = [&](Index k) { return grains * k / parts * grain; };
  const Index end = at(part + 1);
  return {at(part), end < size ? end : size};
}

}  // namespace unroll::kernels
