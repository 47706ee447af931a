#include <autograd/kernels/along.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/comparison.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/ops/pointwise_op.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/ops/softmax.hpp>
#include <autograd/ops/sort.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace unroll {
namespace {

using Axes = std::initializer_list<int>;

/// x with the axes to reduce concatenated, one row for each result.
struct Rows {
  Variable x;       ///< [R,n]
  Shape dropped;    ///< shape of the result
  Shape kept;       ///< the same with the reduced axes of size 1
  Index count = 1;  ///< n
};

Rows rows_of(const char* operation, const Variable& x, Axes axes) {
  Rows rows;
  rows.kept = x.shape();
  std::array<bool, kMaxRank> reduced{};
  for (int axis : axes) {
    const int at = normalize_axis(operation, axis, x.rank());
    if (reduced[static_cast<std::size_t>(at)])
      throw ArgumentError(std::string(operation) + ": axis " + std::to_string(axis) +
                          " is listed twice");
    reduced[static_cast<std::size_t>(at)] = true;
    rows.count *= rows.kept[at];
    rows.kept[at] = 1;
  }
  std::array<int, kMaxRank> order{};
  std::size_t placed = 0;
  for (bool last : {false, true})
    for (int axis = 0; axis < x.rank(); ++axis)
      if (reduced[static_cast<std::size_t>(axis)] == last) {
        order[placed++] = axis;
        if (!last) rows.dropped.push_back(x.shape()[axis]);
      }
  rows.x = reshape(permute(x, std::span<const int>(order).first(placed)),
                   {size_of(rows.dropped), rows.count});
  return rows;
}

Rows flat(const Variable& x) {
  Rows rows;
  rows.count = x.value().size();
  rows.x = reshape(x, {1, rows.count});
  return rows;
}

const Rows& not_empty(const char* operation, const Rows& rows) {
  if (rows.count == 0)
    throw ShapeError(std::string(operation) + ": there are no elements to reduce");
  return rows;
}

Variable shaped(const Variable& y, const Rows& rows, bool keep_axes = false) {
  return reshape(y, keep_axes ? rows.kept : rows.dropped);
}

Tensor extreme_index(const Variable& rows, kernels::Extreme which) {
  Tensor index = Tensor::empty({rows.size(0)}, Dtype::int64);
  kernels::extreme_rows(rows.value().contiguous(), which, index);
  return index;
}

Variable extreme(const char* name, const Rows& rows, kernels::Extreme which) {
  not_empty(name, rows);
  return detail::take_along(name, rows.x, extreme_index(rows.x, which).reshape({-1, 1}), 1);
}

/// Halves until one is left: every factor enters by multiplication alone, so no derivative divides
/// by it.
Variable product(const Rows& rows) {
  if (rows.count == 0) return ones({rows.x.size(0), 1}, rows.x.dtype());
  Variable x = rows.x;
  const bool sorted = !kernels::any_order_will_do(x.value());
  for (Index n = rows.count; n > 1; n = x.size(1)) {
    // The largest times the smallest: no partial product is then further from 1 than the product of
    // all, or than one factor.
    if (sorted) x = detail::take_along("prod", x, argsort(abs(detach(x)), 1), 1);
    const Index half = n / 2;
    const Variable last = slice(x, 1, n - half, n);
    const Variable pairs = slice(x, 1, 0, half) * (sorted ? flip(last, {1}) : last);
    x = n % 2 == 0 ? pairs : concat({pairs, slice(x, 1, half, half + 1)}, 1);
  }
  return x;
}

/// x^(1 / order) for x >= 0, with derivative 0 at 0.
Variable root(const Variable& x, double order) {
  if (order == 2.0)
    return detail::elementwise(
        "root", [](auto a) { return where(a == 0.0, 0.0 * a, sqrt(a)); }, x);
  return detail::elementwise(
      "root", [order](auto a) { return where(a == 0.0, 0.0 * a, pow(a, 1.0 / order)); }, x);
}

Variable variance_of(const char* name, const Rows& rows, double correction) {
  const auto count = static_cast<double>(rows.count);
  if (!(count > correction))
    throw ShapeError(std::string(name) + ": " + std::to_string(rows.count) +
                     " elements are too few for a correction of " + std::to_string(correction));
  return sum(square(rows.x - mean(rows.x, {1}, true)), {1}, true) * (1.0 / (count - correction));
}

Variable logsumexp_of(const Rows& rows) {
  not_empty("logsumexp", rows);
  const Variable x = detach(rows.x);
  const Variable top = pointwise(
      "logsumexp", [](auto a) { return where(abs(a) < HUGE_VAL, a, 0.0); },
      extreme("logsumexp", {x, {}, {}, rows.count}, kernels::Extreme::max));
  Tensor result = (log(sum(exp(x - top), {1}, true)) + top).value();
  if (!recording("logsumexp", rows.x)) return result;
  return record(
      "logsumexp", std::move(result),
      [x = rows.x](const Variable& y, const Variable& g, BackwardPass& pass) {
        // Not e^(x - y): of a large x, y has lost the digits that tell them apart.
        const Tensor possible = ne(y, -HUGE_VAL);  // NaN is to stay
        pass.add(x, g * softmax(where(possible, x, zeros({}, x.dtype()))) * Variable(possible));
      });
}

/// Of each number of `largest` the power of two that brings it near 1, so that multiplying by it or
/// its inverse rounds nothing; 1 for zeros, infinities and NaN.
Tensor powers_of_two_into_range(const Tensor& largest) {
  Tensor result = Tensor::empty(largest.shape(), largest.dtype());
  const Tensor in = largest.contiguous();
  dispatch_floating(largest.dtype(), [&]<class T>(T) {
    const T* from = in.data<T>();
    T* to = result.in_place<T>();
    constexpr int kMost = std::numeric_limits<T>::max_exponent - 1;  // the inverse exists as well
    for (Index k = 0; k < largest.size(); ++k) {
      int exponent = 0;
      const bool usual = from[k] != T(0) && std::isfinite(std::frexp(from[k], &exponent));
      to[k] = usual ? std::ldexp(T(1), std::clamp(-exponent, -kMost, kMost)) : T(1);
    }
  });
  return result;
}

Variable norm_of(const Rows& rows, double order) {
  if (!(order >= 1.0))
    throw ArgumentError("norm: the order must be at least 1, got " + std::to_string(order));
  not_empty("norm", rows);
  if (order == 1.0) return sum(abs(rows.x), {1}, true);
  if (std::isinf(order))
    return extreme("norm", {abs(rows.x), {}, {}, rows.count}, kernels::Extreme::max);
  // The norm of x times a factor, divided by it, is that of x: the factor may be a constant.
  const Tensor factor = powers_of_two_into_range(
      extreme("norm", {abs(detach(rows.x)), {}, {}, rows.count}, kernels::Extreme::max).value());
  const Variable scaled = rows.x * Variable(factor);
  const Variable powers =
      order == 2.0 ? square(scaled)
                   : detail::elementwise(
                         "norm", [order](auto a) { return absolute_power(a, order); }, scaled);
  return root(sum(powers, {1}, true), order) / Variable(factor);
}

Tensor position(const char* name, const Variable& x, kernels::Extreme which) {
  detail::check_defined(name, {"x", x});
  return extreme_index(not_empty(name, flat(detach(x))).x, which).reshape({});
}

Tensor position(const char* name, const Variable& x, int axis, bool keep_axis,
                kernels::Extreme which) {
  detail::check_defined(name, {"x", x});
  const Rows rows = rows_of(name, detach(x), {axis});
  return extreme_index(not_empty(name, rows).x, which)
      .reshape(keep_axis ? rows.kept : rows.dropped);
}

Tensor truth(const Rows& rows, bool keep_axes, void (*kernel)(const Tensor&, Tensor&)) {
  Tensor y = Tensor::empty({rows.x.size(0)}, rows.x.dtype());
  kernel(rows.x.value().contiguous(), y);
  return y.reshape(keep_axes ? rows.kept : rows.dropped);
}

}  // namespace

// Both forms of a reduction that works on rows.
#define UNROLL_REDUCTION(name, of_rows)                         \
  Variable name(const Variable& x) {                            \
    detail::check_floating(#name, {"x", x});                    \
    const Rows rows = flat(x);                                  \
    return shaped(of_rows, rows);                               \
  }                                                             \
  Variable name(const Variable& x, Axes axes, bool keep_axes) { \
    detail::check_floating(#name, {"x", x});                    \
    const Rows rows = rows_of(#name, x, axes);                  \
    return shaped(of_rows, rows, keep_axes);                    \
  }
UNROLL_REDUCTION(prod, product(rows))
UNROLL_REDUCTION(max, extreme("max", rows, kernels::Extreme::max))
UNROLL_REDUCTION(min, extreme("min", rows, kernels::Extreme::min))
UNROLL_REDUCTION(logsumexp, logsumexp_of(rows))
#undef UNROLL_REDUCTION

// The same with an option.
#define UNROLL_REDUCTION(name, option, of_rows)                                \
  Variable name(const Variable& x, double option) {                            \
    detail::check_floating(#name, {"x", x});                                   \
    const Rows rows = flat(x);                                                 \
    return shaped(of_rows, rows);                                              \
  }                                                                            \
  Variable name(const Variable& x, Axes axes, bool keep_axes, double option) { \
    detail::check_floating(#name, {"x", x});                                   \
    const Rows rows = rows_of(#name, x, axes);                                 \
    return shaped(of_rows, rows, keep_axes);                                   \
  }
UNROLL_REDUCTION(variance, correction, variance_of("variance", rows, correction))
UNROLL_REDUCTION(standard_deviation, correction,
                 root(variance_of("standard_deviation", rows, correction), 2.0))
UNROLL_REDUCTION(norm, order, norm_of(rows, order))
#undef UNROLL_REDUCTION

Tensor argmax(const Variable& x) { return position("argmax", x, kernels::Extreme::max); }
Tensor argmax(const Variable& x, int axis, bool keep_axis) {
  return position("argmax", x, axis, keep_axis, kernels::Extreme::max);
}
Tensor argmin(const Variable& x) { return position("argmin", x, kernels::Extreme::min); }
Tensor argmin(const Variable& x, int axis, bool keep_axis) {
  return position("argmin", x, axis, keep_axis, kernels::Extreme::min);
}

Tensor any_true(const Variable& x) {
  detail::check_defined("any_true", {"x", x});
  return truth(flat(detach(x)), false, kernels::any_rows);
}
Tensor any_true(const Variable& x, Axes axes, bool keep_axes) {
  detail::check_defined("any_true", {"x", x});
  return truth(rows_of("any_true", detach(x), axes), keep_axes, kernels::any_rows);
}
Tensor all_true(const Variable& x) {
  detail::check_defined("all_true", {"x", x});
  return truth(flat(detach(x)), false, kernels::all_rows);
}
Tensor all_true(const Variable& x, Axes axes, bool keep_axes) {
  detail::check_defined("all_true", {"x", x});
  return truth(rows_of("all_true", detach(x), axes), keep_axes, kernels::all_rows);
}

}  // namespace unroll
