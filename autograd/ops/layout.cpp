#include <autograd/error.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tape.hpp>

#include <algorithm>
#include <string>

namespace unroll {
namespace {

/// The one tensor that the parts, in this order, already make up in memory; undefined when they do
/// not.
Tensor already_joined(std::span<const Variable> parts, int axis, const Shape& shape) {
  const Tensor& head = parts[0].value();
  const Strides strides = row_major(shape);
  const Index bytes = strides[axis] * static_cast<Index>(size_of(head.dtype()));
  const auto* expected = static_cast<const std::byte*>(head.address());
  if (parts.size() < 2) return {};
  for (const Variable& part : parts) {
    const Tensor& x = part.value();
    if (!x.shares_buffer(head) || x.address() != expected || x.strides() != strides) return {};
    expected += x.shape()[axis] * bytes;
  }
  return head.with_layout(shape, strides, 0);
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

Variable detail::embed_region(const Variable& x, const Shape& shape, const Region& region) {
  Tensor y = zeros(shape, x.dtype());
  Tensor target = y.slice(region.axis, region.begin, region.end, region.step);
  kernels::copy(x.value(), target);
  if (!recording("embed_region", x)) return y;
  return record("embed_region", std::move(y),
                [x = x.without_value(), region](const Variable& g, BackwardPass& pass) {
                  pass.add(x, slice(g, region.axis, region.begin, region.end, region.step));
                });
}

Variable reshape(const Variable& x, const Shape& shape) {
  Tensor y = x.value().reshape(shape);
  if (!recording("reshape", x)) return y;
  return record("reshape", std::move(y),
                [x = x.without_value()](const Variable& g, BackwardPass& pass) {
                  pass.add(x, reshape(g, x.shape()));
                });
}

Variable transpose(const Variable& x, int first, int second) {
  Tensor y = x.value().transpose(first, second);
  if (!recording("transpose", x)) return y;
  return record("transpose", std::move(y),
                [x = x.without_value(), first, second](const Variable& g, BackwardPass& pass) {
                  pass.add(x, transpose(g, first, second));
                });
}

Variable permute(const Variable& x, std::span<const int> axes) {
  Tensor y = x.value().permute(axes);
  if (!recording("permute", x)) return y;
  std::array<int, kMaxRank> inverse{};
  for (int i = 0; i < x.rank(); ++i)
    inverse[static_cast<std::size_t>(
        normalize_axis("permute", axes[static_cast<std::size_t>(i)], x.rank()))] = i;
  return record("permute", std::move(y),
                [x = x.without_value(), inverse](const Variable& g, BackwardPass& pass) {
                  pass.add(
                      x, permute(g, std::span(inverse).first(static_cast<std::size_t>(x.rank()))));
                });
}
Variable permute(const Variable& x, std::initializer_list<int> axes) {
  return permute(x, std::span(axes.begin(), axes.size()));
}

Variable unsqueeze(const Variable& x, int axis) {
  Tensor y = x.value().unsqueeze(axis);
  if (!recording("unsqueeze", x)) return y;
  return record("unsqueeze", std::move(y),
                [x = x.without_value(), axis](const Variable& g, BackwardPass& pass) {
                  pass.add(x, squeeze(g, axis));
                });
}

Variable squeeze(const Variable& x, int axis) {
  Tensor y = x.value().squeeze(axis);
  if (!recording("squeeze", x)) return y;
  return record("squeeze", std::move(y),
                [x = x.without_value(), axis = normalize_axis("squeeze", axis, x.rank())](
                    const Variable& g, BackwardPass& pass) { pass.add(x, unsqueeze(g, axis)); });
}

Variable broadcast_to(const Variable& x, const Shape& shape) {
  Tensor y = x.value().broadcast_to(shape);
  if (!recording("broadcast_to", x)) return y;
  return record("broadcast_to", std::move(y),
                [x = x.without_value()](const Variable& g, BackwardPass& pass) { pass.add(x, g); });
}

Variable sum_to(const Variable& x, const Shape& shape) {
  if (!x.defined() || !is_floating(x.dtype()))
    throw DtypeError("sum_to: x must be float32 or float64, it is " + describe(x.value()));
  if (x.shape() == shape) return x;
  if (broadcast("sum_to", x.shape(), shape) != x.shape())
    throw ShapeError("sum_to: a tensor of shape " + to_string(shape) + " does not stretch to " +
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
  Tensor y = x.value().slice(axis, begin, end, step);
  if (!recording("slice", x)) return y;
  const Region region{normalize_axis("slice", axis, x.rank()), begin, end, step};
  return record("slice", std::move(y),
                [x = x.without_value(), region](const Variable& g, BackwardPass& pass) {
                  pass.add_region(x, region, g);
                });
}

Variable select(const Variable& x, int axis, Index position) {
  Tensor y = x.value().select(axis, position);
  if (!recording("select", x)) return y;
  axis = normalize_axis("select", axis, x.rank());
  const Index at = position < 0 ? position + x.size(axis) : position;
  return record("select", std::move(y),
                [x = x.without_value(), axis, at](const Variable& g, BackwardPass& pass) {
                  pass.add_region(x, {axis, at, at + 1, 1}, unsqueeze(g, axis));
                });
}

void detail::split_into(const Variable& x, std::span<const Index> sizes, int axis,
                        std::span<Variable> parts) {
  axis = normalize_axis("split", axis, x.rank());
  Index begin = 0;
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    const Index end = begin + sizes[k];
    if (sizes[k] < 0 || end > x.shape()[axis]) break;
    parts[k] = x.value().slice(axis, begin, end);
    begin = end;
  }
  if (begin != x.shape()[axis] || (!parts.empty() && !parts.back().defined()))
    throw ShapeError("split: the sizes of the parts must add up to " +
                     std::to_string(x.shape()[axis]) + ", axis " + std::to_string(axis) + " of " +
                     to_string(x.shape()));
  if (!recording("split", x)) return;
  record("split", parts,
         [x = x.without_value(), axis, sizes = PooledVector<Index>(sizes.begin(), sizes.end())](
             std::span<const Variable> gradients, BackwardPass& pass) {
           const auto missing = [](const Variable& g) { return !g.defined(); };
           if (std::none_of(gradients.begin(), gradients.end(), missing)) {
             pass.add(x, concat(gradients, axis));
             return;
           }
           PooledVector<Variable> whole(gradients.begin(), gradients.end());
           for (std::size_t k = 0; k < whole.size(); ++k) {
             if (whole[k].defined()) continue;
             Shape shape = x.shape();
             shape[axis] = sizes[k];
             whole[k] = zeros(shape, x.dtype());
           }
           pass.add(x, concat(whole, axis));
         });
}

void detail::split_equally(const Variable& x, int axis, std::span<Variable> parts) {
  axis = normalize_axis("split", axis, x.rank());
  const auto count = static_cast<Index>(parts.size());
  if (x.shape()[axis] % count != 0)
    throw ShapeError("split: axis " + std::to_string(axis) + " of " + to_string(x.shape()) +
                     " does not divide into " + std::to_string(count) + " equal parts");
  const PooledVector<Index> sizes(parts.size(), x.shape()[axis] / count);
  split_into(x, sizes, axis, parts);
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
  Tensor y = already_joined(parts, axis, shape);
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
  PooledVector<Variable> places;
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
  check_parts("stack", parts);
  axis = normalize_axis("stack", axis, parts[0].rank() + 1);
  Shape shape = parts[0].shape();
  shape.insert(axis, static_cast<Index>(parts.size()));
  Tensor y = Tensor::empty(shape, parts[0].dtype());
  for (std::size_t k = 0; k < parts.size(); ++k) {
    if (parts[k].shape() != parts[0].shape() || parts[k].dtype() != parts[0].dtype())
      throw ShapeError("stack: all tensors must have one shape and dtype, got " +
                       describe(parts[0].value()) + " and " + describe(parts[k].value()));
    Tensor target = y.select(axis, static_cast<Index>(k));
    kernels::copy(parts[k].value(), target);
  }
  if (!recording("stack", parts)) return y;
  PooledVector<Variable> places;
  for (const Variable& part : parts) places.push_back(part.without_value());
  return record("stack", std::move(y),
                [places = std::move(places), axis](const Variable& g, BackwardPass& pass) {
                  for (std::size_t k = 0; k < places.size(); ++k)
                    if (pass.wants(places[k]))
                      pass.add(places[k], select(g, axis, static_cast<Index>(k)));
                });
}
Variable stack(std::initializer_list<Variable> parts, int axis) {
  return stack(std::span(parts.begin(), parts.size()), axis);
}

}  // namespace unroll
