#include <autograd/ops/layout.hpp>
#include <autograd/ops/rearrange.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace unroll {
namespace {

int check(const char* operation, const Variable& x, int axis) {
  if (!x.defined()) throw ArgumentError(std::string(operation) + ": x is undefined");
  return normalize_axis(operation, axis, x.rank());
}

void check_count(const char* operation, Index count) {
  if (count < 0)
    throw ArgumentError(std::string(operation) + ": a count is negative, " + std::to_string(count));
}

Tensor reversed(const Tensor& x, std::span<const int> axes) {
  Strides strides = x.strides();
  Index first = 0;
  for (int axis : axes) {
    first += std::max<Index>(x.shape()[axis] - 1, 0) * strides[axis];
    strides[axis] = -strides[axis];
  }
  return x.with_layout(x.shape(), strides, first);
}

/// Axes counted from the front.
Variable flipped(const Variable& x, std::span<const int> axes) {
  Tensor y = reversed(x.value(), axes);
  if (!recording("flip", x)) return y;
  return record("flip", std::move(y),
                [x = x.without_value(), axes = memory::Vector<int>(axes.begin(), axes.end())](
                    const Variable& g, BackwardPass& pass) { pass.add(x, flipped(g, axes)); });
}

/// An axis `count` times over, as a whole or each of its positions: through a broadcast view with
/// one axis more, which is then copied once.
Variable repeated(const Variable& x, Index count, int axis, bool as_a_whole) {
  if (count == 1) return x;
  Index outer = 1;
  for (int i = 0; i < axis; ++i) outer *= x.shape()[i];
  const Index n = x.shape()[axis];
  Index inner = 1;
  for (int i = axis + 1; i < x.rank(); ++i) inner *= x.shape()[i];
  const Variable expanded =
      as_a_whole ? broadcast_to(reshape(x, {outer, 1, n, inner}), {outer, count, n, inner})
                 : broadcast_to(reshape(x, {outer, n, 1, inner}), {outer, n, count, inner});
  Shape shape = x.shape();
  shape[axis] *= count;
  return reshape(expanded, shape);
}

/// Where windows lie on an axis.
struct Windows {
  int axis;
  Index count, size, stride, dilation;
};

Tensor windows_of(const Tensor& x, const Windows& windows) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  shape.push_back(windows.size);
  strides.push_back(strides[windows.axis] * windows.dilation);
  shape[windows.axis] = windows.count;
  strides[windows.axis] *= windows.stride;
  return x.with_layout(shape, strides, 0);
}

Variable folded(const Variable& x, const Shape& shape, const Windows& windows);

Variable unfolded(const Variable& x, const Windows& windows) {
  Tensor y = windows_of(x.value(), windows);
  if (!recording("unfold", x)) return y;
  return record("unfold", std::move(y),
                [x = x.without_value(), windows](const Variable& g, BackwardPass& pass) {
                  pass.add(x, folded(g, x.shape(), windows));
                });
}

/// The opposite: zeros of `shape` with every window of x added where it was taken from.
Variable folded(const Variable& x, const Shape& shape, const Windows& windows) {
  Tensor y = zeros(shape, x.dtype());
  const Tensor places = windows_of(y, windows);
  // The places of one position of all windows do not overlap, those of all positions do.
  for (Index k = 0; k < windows.size; ++k) {
    Tensor target = places.select(-1, k);
    kernels::add_into(x.value().select(-1, k), target);
  }
  if (!recording("fold", x)) return y;
  return record("fold", std::move(y),
                [x = x.without_value(), windows](const Variable& g, BackwardPass& pass) {
                  pass.add(x, unfolded(g, windows));
                });
}

}  // namespace

std::vector<Variable> chunk(const Variable& x, Index count, int axis) {
  axis = check("chunk", x, axis);
  if (count < 1)
    throw ArgumentError("chunk: there must be at least one part, got " + std::to_string(count));
  const Index n = x.shape()[axis];
  const Index size = std::max<Index>((n - 1) / count + 1, 1);
  std::vector<Index> sizes;
  for (Index begin = 0; begin < n; begin += size) sizes.push_back(std::min(size, n - begin));
  if (n == 0) sizes.push_back(0);
  return split(x, sizes, axis);
}

Variable flip(const Variable& x, std::initializer_list<int> axes) {
  if (!x.defined()) throw ArgumentError("flip: x is undefined");
  memory::Vector<int> normalized;
  for (int axis : axes) {
    const int at = normalize_axis("flip", axis, x.rank());
    if (std::find(normalized.begin(), normalized.end(), at) != normalized.end())
      throw ArgumentError("flip: axis " + std::to_string(axis) + " is listed twice");
    normalized.push_back(at);
  }
  return flipped(x, normalized);
}

Variable roll(const Variable& x, Index shift, int axis) {
  axis = check("roll", x, axis);
  const Index n = x.shape()[axis];
  if (n == 0 || shift % n == 0) return x;
  const Index cut = shift % n > 0 ? n - shift % n : -(shift % n);
  return concat({slice(x, axis, cut, n), slice(x, axis, 0, cut)}, axis);
}

Variable pad(const Variable& x, int axis, Index before, Index after, double value) {
  axis = check("pad", x, axis);
  check_count("pad", std::min(before, after));
  const Index n = x.shape()[axis];
  constexpr Index kLongest = Index{1} << 42;  // of any axis, so that sums do not overflow
  if (before > kLongest - n || after > kLongest - n - before)
    throw ShapeError("pad: no memory holds x " + to_string(x.shape()) + " with " +
                     std::to_string(before) + " and " + std::to_string(after) +
                     " positions more on axis " + std::to_string(axis));
  Shape shape = x.shape();
  shape[axis] = before + n + after;
  Tensor y = Tensor::empty(shape, x.dtype());
  Tensor head = y.slice(axis, 0, before);
  Tensor middle = y.slice(axis, before, before + n);
  Tensor tail = y.slice(axis, before + n, shape[axis]);
  kernels::fill(head, value);
  kernels::copy(x.value(), middle);
  kernels::fill(tail, value);
  if (!recording("pad", x)) return y;
  return record("pad", std::move(y),
                [x = x.without_value(), axis, before](const Variable& g, BackwardPass& pass) {
                  pass.add(x, slice(g, axis, before, before + x.shape()[axis]));
                });
}

Variable tile(const Variable& x, const Shape& counts) {
  if (!x.defined()) throw ArgumentError("tile: x is undefined");
  Variable y = x;
  while (y.rank() < counts.rank()) y = unsqueeze(y, 0);
  for (int i = 0; i < counts.rank(); ++i) {
    check_count("tile", counts[i]);
    y = repeated(y, counts[i], y.rank() - counts.rank() + i, true);
  }
  return y;
}

Variable repeat(const Variable& x, Index count, int axis) {
  axis = check("repeat", x, axis);
  check_count("repeat", count);
  return repeated(x, count, axis, false);
}

Variable unfold(const Variable& x, int axis, Index size, const UnfoldOptions& options) {
  axis = check("unfold", x, axis);
  const Index n = x.shape()[axis];
  const auto [stride, dilation] = options;
  if (size < 1 || stride < 1 || dilation < 1)
    throw ArgumentError("unfold: size, stride and dilation must be at least 1, got " +
                        std::to_string(size) + ", " + std::to_string(stride) + " and " +
                        std::to_string(dilation));
  if (size > n || (size > 1 && dilation > (n - 1) / (size - 1)))
    throw ArgumentError("unfold: a window of " + std::to_string(size) + " positions, " +
                        std::to_string(dilation) + " apart, is longer than axis " +
                        std::to_string(axis) + " of x " + to_string(x.shape()));
  const Index span = dilation * (size - 1) + 1;
  return unfolded(x, {axis, (n - span) / stride + 1, size, std::min(stride, n), dilation});
}

}  // namespace unroll
