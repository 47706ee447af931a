#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/stack_builder.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/joined.hpp>

#include <algorithm>
#include <string>

namespace unroll {
namespace {

/// A variable that shows x's elements as `view` does, without a copy where that can be.
template <class View>
Variable view_of(const char* operation, const Variable& x, const View& view) {
  if (!recording(operation, x)) return view(x.value());
  if (extension::TapeAccess::can_view(x)) {
    Tensor y = view(x.value());
    if (y.shares_buffer(x.value()))
      return extension::TapeAccess::view(extension::TapeAccess::recorder(operation), x,
                                         std::move(y));
  }
  const Variable copy = clone(x);
  return extension::TapeAccess::view(extension::TapeAccess::recorder(operation), copy,
                                     view(copy.value()));
}

/// Fills `parts` with views of x, one after the other along an axis.
template <class SizeOf>
void cut(const Variable& x, int axis, std::span<Variable> parts, const SizeOf& size_of) {
  detail::check_defined("split", {"x", x});
  Tape* tape = recording("split", x) ? Tape::active() : nullptr;
  const Variable copy = tape && !extension::TapeAccess::can_view(x) ? clone(x) : Variable();
  const Variable& whole = copy.defined() ? copy : x;
  Shape shape = x.shape();
  const Strides& strides = whole.value().strides();
  Index begin = 0;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const Index offset = begin * strides[axis];
    const bool alike = k > 0 && size_of(k) == shape[axis];
    shape[axis] = size_of(k);
    Tensor part = alike ? whole.value().with_layout_of(parts[k - 1].value(), offset)
                        : whole.value().with_layout(shape, strides, offset);
    begin += size_of(k);
    parts[k] = tape ? extension::TapeAccess::view(*tape, whole, std::move(part))
                    : Variable(std::move(part));
  }
}

void check_parts(const char* operation, std::span<const Variable> parts) {
  if (parts.empty())
    throw ArgumentError(std::string(operation) + ": there must be at least one tensor");
  for (std::size_t k = 0; k < parts.size(); ++k)
    if (!parts[k].defined())
      throw ArgumentError(std::string(operation) + ": tensor " + std::to_string(k) + " of " +
                          std::to_string(parts.size()) + " is undefined");
}

}  // namespace

Tensor detail::rows_of(const Tensor& x) {
  const Index n = x.shape().back();
  return x.contiguous().reshape({n == 0 ? 0 : x.size() / n, n});
}

Variable detail::embed(const Variable& x, const Shape& shape, const detail::Part& part) {
  Tensor y = zeros(shape, x.dtype());
  Tensor target = y.with_layout(part.shape, part.strides, part.offset);
  kernels::copy(x.value(), target);
  if (!recording("embed", x)) return y;
  return record("embed", std::move(y),
                [x = x.without_value(), part](const Variable& g, BackwardPass& pass) {
                  // The strides of a part are those of a row-major gradient, and g may be a view of
                  // any layout.
                  const Variable whole = g.value().is_contiguous() ? g : clone(g);
                  pass.add(x, view_of("part", whole, [&](const Tensor& t) {
                             return t.with_layout(part.shape, part.strides, part.offset);
                           }));
                });
}

Variable clone(const Variable& x) {
  Tensor y = x.value().clone();
  if (!recording("clone", x)) return y;
  return record("clone", std::move(y),
                [x = x.without_value()](const Variable& g, BackwardPass& pass) { pass.add(x, g); });
}

Variable reshape(const Variable& x, const Shape& shape) {
  return view_of("reshape", x, [&](const Tensor& t) { return t.reshape(shape); });
}

Variable transpose(const Variable& x, int first, int second) {
  return view_of("transpose", x, [=](const Tensor& t) { return t.transpose(first, second); });
}

Variable permute(const Variable& x, std::span<const int> axes) {
  return view_of("permute", x, [=](const Tensor& t) { return t.permute(axes); });
}
Variable permute(const Variable& x, std::initializer_list<int> axes) {
  return permute(x, std::span(axes.begin(), axes.size()));
}

Variable unsqueeze(const Variable& x, int axis) {
  return view_of("unsqueeze", x, [=](const Tensor& t) { return t.unsqueeze(axis); });
}

Variable squeeze(const Variable& x, int axis) {
  return view_of("squeeze", x, [=](const Tensor& t) { return t.squeeze(axis); });
}

Variable broadcast_to(const Variable& x, const Shape& shape) {
  Tensor y = x.value().broadcast_to(shape);
  if (!recording("broadcast_to", x)) return y;
  return record("broadcast_to", std::move(y),
                [x = x.without_value()](const Variable& g, BackwardPass& pass) { pass.add(x, g); });
}

Variable sum_to(const Variable& x, const Shape& shape) {
  detail::check_floating("sum_to", {"x", x});
  if (x.shape() == shape) return x;
  if (broadcast("sum_to", x.shape(), shape) != x.shape())
    throw ShapeError("sum_to: a tensor of shape " + to_string(shape) + " does not broadcast to " +
                     to_string(x.shape()));
  Shape kept(x.rank(), 1);
  for (int axis = 0; axis < shape.rank(); ++axis)
    kept[axis + x.rank() - shape.rank()] = shape[axis];
  Tensor y = Tensor::empty(kept, x.dtype());
  kernels::sum(x.value(), y);
  y = y.reshape(shape);
  if (!recording("sum_to", x)) return y;
  return record("sum_to", std::move(y),
                [x = x.without_value()](const Variable& g, BackwardPass& pass) {
                  pass.add(x, broadcast_to(g, x.shape()));
                });
}

Variable slice(const Variable& x, int axis, Index begin, Index end, Index step) {
  return view_of("slice", x, [=](const Tensor& t) { return t.slice(axis, begin, end, step); });
}

Variable select(const Variable& x, int axis, Index position) {
  return view_of("select", x, [=](const Tensor& t) { return t.select(axis, position); });
}

void detail::split_into(const Variable& x, std::span<const Index> sizes, int axis,
                        std::span<Variable> parts) {
  axis = normalize_axis("split", axis, x.rank());
  Index total = 0;
  for (Index size : sizes) total = size < 0 || total < 0 ? -1 : total + size;
  if (total != x.shape()[axis])
    throw ShapeError("split: the sizes of the parts must add up to " +
                     std::to_string(x.shape()[axis]) + ", axis " + std::to_string(axis) + " of " +
                     to_string(x.shape()));
  cut(x, axis, parts, [&](std::size_t k) { return sizes[k]; });
}

void detail::split_equally(const Variable& x, int axis, std::span<Variable> parts) {
  axis = normalize_axis("split", axis, x.rank());
  const auto count = static_cast<Index>(parts.size());
  if (x.shape()[axis] % count != 0)
    throw ShapeError("split: axis " + std::to_string(axis) + " of " + to_string(x.shape()) +
                     " does not divide into " + std::to_string(count) + " equal parts");
  const Index size = x.shape()[axis] / count;
  cut(x, axis, parts, [size](std::size_t) { return size; });
}

std::vector<Variable> split(const Variable& x, std::span<const Index> sizes, int axis) {
  std::vector<Variable> parts(sizes.size());
  detail::split_into(x, sizes, axis, parts);
  return parts;
}

Variable concat(std::span<const Variable> parts, int axis) {
  check_parts("concat", parts);
  axis = normalize_axis("concat", axis, parts[0].rank());
  Shape shape = parts[0].shape();
  shape[axis] = 0;
  for (const Variable& part : parts) {
    Shape expected = shape;
    if (part.rank() == shape.rank()) expected[axis] = part.shape()[axis];
    if (part.shape() != expected)
      throw ShapeError("concat: along axis " + std::to_string(axis) +
                       " the other sizes must agree, got " + to_string(parts[0].shape()) + " and " +
                       to_string(part.shape()));
    if (part.dtype() != parts[0].dtype())
      throw DtypeError("concat: one dtype is needed, got " + describe(parts[0].value()) + " and " +
                       describe(part.value()));
    shape[axis] += part.shape()[axis];
  }
  const auto value_of = [&](std::size_t k) -> const Tensor& { return parts[k].value(); };
  Tensor y;
  if (parts.size() > 1) y = detail::joined_in_memory(parts.size(), value_of, axis);
  if (!y.defined()) {
    y = Tensor::empty(shape, parts[0].dtype());
    Index begin = 0;
    for (const Variable& part : parts) {
      const Index end = begin + part.shape()[axis];
      Tensor target = y.slice(axis, begin, end);
      kernels::copy(part.value(), target);
      begin = end;
    }
  }
  if (!recording("concat", parts)) return y;
  memory::Vector<Variable> places;
  for (const Variable& part : parts) places.push_back(part.without_value());
  return record("concat", std::move(y),
                [places = std::move(places), axis](const Variable& g, BackwardPass& pass) {
                  Index begin = 0;
                  for (const Variable& part : places) {
                    const Index end = begin + part.shape()[axis];
                    if (pass.wants(part)) pass.add(part, slice(g, axis, begin, end));
                    begin = end;
                  }
                });
}
Variable concat(std::initializer_list<Variable> parts, int axis) {
  return concat(std::span(parts.begin(), parts.size()), axis);
}

Variable stack(std::span<const Variable> parts, int axis) {
  detail::StackBuilder builder(static_cast<Index>(parts.size()), axis);
  for (std::size_t k = 0; k < parts.size(); ++k) builder.put(static_cast<Index>(k), parts[k]);
  return builder.finish();
}
Variable stack(std::initializer_list<Variable> parts, int axis) {
  return stack(std::span(parts.begin(), parts.size()), axis);
}

}  // namespace unroll
