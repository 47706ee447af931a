#pragma once

#include <autograd/kernels/lanes.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/tensor/tensor.hpp>

#include <array>
#include <cstddef>

/// Loops over the elements of a row, and over rows, for the kernels that normalise rows.
namespace unroll::kernels {

using lambda::Lanes;
using lambda::Vector;

/// The elements of an operand that may be undefined: null then.
template <class T>
const T* data_or_null(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

/// Calls `body(i, L())` for the elements of 0..n-1: `L` is Lanes<Vector<T>>, for as many elements
/// from i on as it has lanes, and Lanes<double> for each element of the rest. The body loads what
/// it needs with L::load, so a formula is written once for both.
template <class T, class F>
void for_each_lanes(Index n, F&& body) {
  using L = Lanes<Vector<T>>;
  Index i = 0;
  for (; i + L::width() <= n; i += L::width()) body(i, L());
  for (; i < n; ++i) body(i, Lanes<double>());
}

/// The sum of what for_each_lanes comes past: in T within the lanes, in double across them.
template <class T>
class LanesSum {
 public:
  void add(Lanes<Vector<T>> x) { lanes_ = lanes_ + x; }
  void add(Lanes<double> x) { rest_ += x.v; }

  double total() const {
    std::array<T, static_cast<std::size_t>(Lanes<Vector<T>>::width())> parts;
    lanes_.store(parts.data());
    double sum = rest_;
    for (T part : parts) sum += static_cast<double>(part);
    return sum;
  }

 private:
  Lanes<Vector<T>> lanes_{0.0};
  double rest_ = 0.0;
};

/// Runs `body(k)` for each row k of 0..rows-1, on several threads when that pays: `cost` is that of
/// an element, in floating-point operations. Rows must not depend on each other.
template <class F>
void for_each_row(Index rows, Index columns, double cost, const F& body) {
  const int parts = parts_for(static_cast<double>(rows) * static_cast<double>(columns) * cost);
  parallel_for(parts, [&](int part) {
    const Range range = part_of(rows, parts, part, 1);
    for (Index k = range.begin; k < range.end; ++k) body(k);
  });
}

}  // namespace unroll::kernels
