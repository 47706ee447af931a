#pragma once

#include <autograd/kernels/linear_scan.hpp>
#include <autograd/kernels/row_loop.hpp>
#include <autograd/tensor/loop.hpp>
#include <autograd/tensor/memory.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

/// What linear_scan and its gradient are written with: the columns of a state, which do not depend
/// on each other, in blocks that stay in the first-level cache while time runs.
namespace unroll::kernels::scan {

/// Elements of a state that run through time together: they stay in the first-level cache.
constexpr Index kBlock = 2048;

/// The elements of a result that may be undefined, to be written to: null then.
template <class T>
T* result_or_null(Tensor& x) {
  return x.defined() ? x.in_place<T>() : nullptr;
}

/// A real number, or a complex one as two parts, in each lane.
template <class L, int Parts>
struct Number {
  std::array<L, Parts> part;

  /// `distance` is that from the real to the imaginary part.
  template <class T>
  static Number load(const T* from, Index distance) {
    if constexpr (Parts == 1)
      return {L::load(from)};
    else
      return {L::load(from), L::load(from + distance)};
  }
  template <class T>
  void store(T* to, Index distance) const {
    part[0].store(to);
    if constexpr (Parts == 2) part[1].store(to + distance);
  }

  friend Number operator+(const Number& x, const Number& y) {
    if constexpr (Parts == 1)
      return {x.part[0] + y.part[0]};
    else
      return {x.part[0] + y.part[0], x.part[1] + y.part[1]};
  }
  friend Number operator*(const Number& x, const Number& y) {
    if constexpr (Parts == 1)
      return {x.part[0] * y.part[0]};
    else
      return {x.part[0] * y.part[0] - x.part[1] * y.part[1],
              x.part[0] * y.part[1] + x.part[1] * y.part[0]};
  }
  /// x times the conjugate of y.
  friend Number times_conjugate(const Number& x, const Number& y) {
    if constexpr (Parts == 1)
      return {x.part[0] * y.part[0]};
    else
      return {x.part[0] * y.part[0] + x.part[1] * y.part[1],
              x.part[1] * y.part[0] - x.part[0] * y.part[1]};
  }
};

/// Where numbers lie: `distance` is that from the first real to the first imaginary part.
template <class T>
struct Place {
  T* data = nullptr;
  Index distance = 0;
};

template <int Parts, class T>
void copy_numbers(Place<const T> from, Index n, Place<T> to) {
  for (Index part = 0; part < Parts; ++part)
    std::copy_n(from.data + part * from.distance, n, to.data + part * to.distance);
}
template <int Parts, class T>
void clear_numbers(Place<T> place, Index n) {
  for (Index part = 0; part < Parts; ++part)
    std::fill_n(place.data + part * place.distance, n, T(0));
}

/// The states of a batch at one step, as columns that do not depend on each other.
template <int Parts>
struct Columns {
  Index count;     // of numbers
  Index width;     // of one sequence
  Index elements;  // of one step

  explicit Columns(const Shape& shape) {
    elements = size_of(shape) / shape[0];
    count = elements / Parts;
    width = count / shape[1];
  }

  /// Of the real part within a step.
  Index position(Index column) const {
    if constexpr (Parts == 1)
      return column;
    else
      return column / width * 2 * width + column % width;
  }
  /// Column `column` of step t of a tensor, or null.
  template <class T>
  Place<T> at(T* data, Index t, Index column) const {
    return data ? Place<T>{data + t * elements + position(column), width} : Place<T>{};
  }
  /// Calls `body(first, end)` for ranges of the columns begin .. end, of each of which the elements
  /// of a part are contiguous.
  template <class F>
  void for_each_range(Index begin, Index end, F&& body) const {
    for (Index first = begin; first < end;) {
      const Index last = Parts == 1 ? end : std::min((first / width + 1) * width, end);
      body(first, last);
      first = last;
    }
  }
};

/// The numbers of a block, each part of them contiguous.
template <class T, int Parts>
class Block {
 public:
  static constexpr Index kColumns = kBlock / Parts;

  Place<T> at(Index i) { return {values_.data() + i, kColumns}; }
  Place<const T> at(Index i) const { return {values_.data() + i, kColumns}; }

 private:
  std::array<T, kBlock> values_;  // not initialised: most steps are smaller
};

/// What a step does to a sequence.
enum class Doing {
  goes_on,
  begins,  // anew, from the restart state
  rests    // keeps its state, as it has ended
};

/// Which sequences have ended or begin anew.
template <class T, int Parts>
class Boundaries {
 public:
  Boundaries(const LinearScan& how, const Columns<Parts>& columns)
      : lengths_(data_or_null<std::int64_t>(how.lengths)),
        resets_(data_or_null<T>(how.resets)),
        batch_(columns.count / columns.width),
        width_(columns.width) {}

  /// Calls `body(first, end, doing)` for ranges of the columns begin .. end, of each of which the
  /// elements of a part are contiguous.
  template <class F>
  void for_each_range(Index t, Index begin, Index end, F&& body) const {
    if (Parts == 1 && !lengths_ && !resets_) return body(begin, end, Doing::goes_on);
    Index b = begin / width_;
    for (Index first = begin; first < end;) {
      const Doing doing = at(t, b++);
      if constexpr (Parts == 1)
        while (b * width_ < end && at(t, b) == doing) ++b;
      const Index last = std::min(b * width_, end);
      body(first, last, doing);
      first = last;
    }
  }

 private:
  Doing at(Index t, Index b) const {
    if (lengths_ && t >= lengths_[b]) return Doing::rests;
    return resets_ && resets_[t * batch_ + b] != T(0) ? Doing::begins : Doing::goes_on;
  }

  const std::int64_t* lengths_;
  const T* resets_;
  Index batch_;
  Index width_;
};

/// How the elements of coefficients lie that may be broadcast.
template <class T>
class Coefficients {
 public:
  explicit Coefficients(const Tensor& a)
      : data_(a.data<T>()), stride_(is_constant_in_time(a) ? 0 : a.strides()[0]) {
    Shape shape = a.shape();
    Strides strides = a.strides();
    shape.erase(0);
    strides.erase(0);
    const Walk<1> walk(shape, {strides});
    run_ = walk.row_size();
    repeats_ = walk.row_stride(0) == 0;
    walk.for_each_row([&](const std::array<Index, 1>& offset) { offsets_.push_back(offset[0]); });
  }

  /// True when a step lies in memory as it would without broadcasting.
  bool is_direct() const { return offsets_.size() == 1 && !repeats_; }
  bool is_constant() const { return stride_ == 0; }
  const T* step(Index t) const { return data_ + t * stride_; }

  /// Copies n elements of step t from `begin` on, counted as if there were no broadcasting.
  void read(Index t, Index begin, Index n, T* to) const {
    while (n > 0) {
      const Index within = begin % run_;
      const Index count = std::min(run_ - within, n);
      const T* from = step(t) + offsets_[static_cast<std::size_t>(begin / run_)];
      if (repeats_)
        std::fill_n(to, count, *from);
      else
        std::copy_n(from + within, count, to);
      begin += count;
      to += count;
      n -= count;
    }
  }

 private:
  const T* data_;
  Index stride_;                   // from step to step
  Index run_;                      // as many elements of a step are contiguous, or the same one
  bool repeats_;                   // they are the same one
  memory::Vector<Index> offsets_;  // of the runs of a step
};

/// The coefficients of a block of columns.
template <class T, int Parts>
class BlockOfCoefficients {
 public:
  BlockOfCoefficients(const Coefficients<T>& all, const Columns<Parts>& columns, Index begin,
                      Index end)
      : all_(all), columns_(columns), begin_(begin), end_(end) {
    if (!all.is_direct() && all.is_constant()) expand(0);
  }

  /// To be called before those of step t are read.
  void go_to(Index t) {
    step_ = all_.step(t);
    if (!all_.is_direct() && !all_.is_constant()) expand(t);
  }
  Place<const T> at(Index column) const {
    if (!all_.is_direct()) return expanded_.at(column - begin_);
    return {step_ + columns_.position(column), columns_.width};
  }

 private:
  void expand(Index t) {
    columns_.for_each_range(begin_, end_, [&](Index first, Index last) {
      const Place<T> to = expanded_.at(first - begin_);
      for (Index part = 0; part < Parts; ++part)
        all_.read(t, columns_.position(first) + part * columns_.width, last - first,
                  to.data + part * to.distance);
    });
  }

  const Coefficients<T>& all_;
  const Columns<Parts>& columns_;
  Index begin_, end_;
  const T* step_ = nullptr;
  Block<T, Parts> expanded_;
};

/// The sum over time of the numbers of a block: in T over a few steps, in double over all.
template <class T, int Parts>
class SumOverTime {
 public:
  explicit SumOverTime(Index n) : n_(n) {
    clear_numbers<Parts>(few_.at(0), n);
    clear_numbers<Parts>(all_.at(0), n);
  }

  template <class L>
  void add(Index i, const Number<L, Parts>& x) {
    const Place<T> sum = few_.at(i);
    (Number<L, Parts>::load(sum.data, sum.distance) + x).store(sum.data, sum.distance);
  }
  void step_ends() {
    constexpr Index kFew = 64;
    if (++steps_ % kFew == 0) collect();
  }
  void store(Index i, Index n, Place<T> to) {
    collect();
    const Place<double> from = all_.at(i);
    for (Index part = 0; part < Parts; ++part)
      std::transform(from.data + part * from.distance, from.data + part * from.distance + n,
                     to.data + part * to.distance, [](double x) { return static_cast<T>(x); });
  }

 private:
  void collect() {
    const Place<T> from = few_.at(0);
    const Place<double> to = all_.at(0);
    for (Index part = 0; part < Parts; ++part)
      for (Index i = 0; i < n_; ++i)
        to.data[part * to.distance + i] += static_cast<double>(from.data[part * from.distance + i]);
    clear_numbers<Parts>(from, n_);
  }

  Index n_;
  Index steps_ = 0;
  Block<T, Parts> few_;
  Block<double, Parts> all_;
};

/// Calls `body(begin, end)` for blocks of columns, on several threads when that pays. `cost` is
/// that of a number, in floating-point operations.
template <int Parts, class F>
void for_each_block(Index steps, Index columns, double cost, const F& body) {
  constexpr Index kGrain = 64;
  constexpr Index kColumns = kBlock / Parts;
  const int most = static_cast<int>(std::max<Index>((columns + kGrain - 1) / kGrain, 1));
  const int parts =
      std::min(most, parts_for(static_cast<double>(steps) * static_cast<double>(columns) * cost));
  parallel_for(parts, [&](int part) {
    const Range range = part_of(columns, parts, part, kGrain);
    for (Index begin = range.begin; begin < range.end; begin += kColumns)
      body(begin, std::min(begin + kColumns, range.end));
  });
}

}  // namespace unroll::kernels::scan
