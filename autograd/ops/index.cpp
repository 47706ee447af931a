#include <autograd/kernels/along.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/piecewise.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

/// Checks what gather and scatter_add share; returns the axis counted from the front.
int check_along(const char* operation, const Variable& x, const Tensor& indices, int axis) {
  detail::check_defined(operation, {"x", x});
  axis = normalize_axis(operation, axis, x.rank());
  Shape expected = x.shape();
  if (indices.defined() && indices.rank() == x.rank()) expected[axis] = indices.shape()[axis];
  if (indices.defined() && indices.shape() != expected)
    throw ShapeError(std::string(operation) + ": indices " + to_string(indices.shape()) +
                     " must have the shape of x " + to_string(x.shape()) + " but for axis " +
                     std::to_string(axis) + "; broadcast them with broadcast_to");
  detail::check_indices(operation, "indices", indices, x.shape()[axis]);
  return axis;
}

/// Adds `values` into y, a copy of x that nobody else sees.
Variable added_along(const Variable& x, Tensor y, const Tensor& indices, const Variable& values,
                     int axis) {
  kernels::add_along(values.value(), indices, axis, y);
  if (!recording("scatter_add", x, values)) return y;
  return record("scatter_add", std::move(y),
                [x = x.without_value(), values = values.without_value(), indices, axis](
                    const Variable& g, BackwardPass& pass) {
                  pass.add(x, g);
                  if (pass.wants(values))
                    pass.add(values, detail::take_along("gather", g, indices, axis));
                });
}

}  // namespace

Variable embedding(const Variable& table, const Tensor& indices) {
  if (!table.defined() || table.rank() != 2)
    throw ShapeError("embedding: the table must be [V,D], got " + describe(table.value()));
  detail::check_floating("embedding", {"table", table});
  detail::check_indices("embedding", "indices", indices, table.size(0));
  const Tensor flat = indices.contiguous().reshape({-1});
  Tensor y = Tensor::empty({flat.size(0), table.size(1)}, table.dtype());
  kernels::gather_rows(table.value(), flat, y);
  Shape shape = indices.shape();
  shape.push_back(table.size(1));
  y = y.reshape(shape);
  if (!recording("embedding", table)) return y;
  return record("embedding", std::move(y),
                [table = table.without_value(), flat](const Variable& g, BackwardPass& pass) {
                  pass.add_rows(table, flat, reshape(g, {flat.size(0), table.size(1)}));
                });
}

Variable detail::scatter_rows(const Variable& values, const Tensor& indices, Index rows) {
  Tensor y = zeros({rows, values.size(1)}, values.dtype());
  kernels::scatter_add_rows(values.value(), indices, y);
  if (!recording("scatter_rows", values)) return y;
  return record("scatter_rows", std::move(y),
                [values = values.without_value(), indices](const Variable& g, BackwardPass& pass) {
                  pass.add(values, embedding(g, indices));
                });
}

Variable detail::take_along(const char* operation, const Variable& x, const Tensor& indices,
                            int axis) {
  Tensor y = Tensor::empty(indices.shape(), x.dtype());
  kernels::take_along(x.value(), indices, axis, y);
  if (!recording(operation, x)) return y;
  return record(operation, std::move(y),
                [x = x.without_value(), indices, axis](const Variable& g, BackwardPass& pass) {
                  pass.add(x, added_along({}, zeros(x.shape(), x.dtype()), indices, g, axis));
                });
}

Variable gather(const Variable& x, const Tensor& indices, int axis) {
  axis = check_along("gather", x, indices, axis);
  return detail::take_along("gather", x, indices, axis);
}

Variable scatter_add(const Variable& x, const Tensor& indices, const Variable& values, int axis) {
  axis = check_along("scatter_add", x, indices, axis);
  detail::check_same_dtype("scatter_add", {{"x", x}, {"values", values}});
  detail::check_same_shape("scatter_add", {"values", values}, {"indices", indices});
  return added_along(x, x.value().clone(), indices, values, axis);
}

Variable index_select(const Variable& x, const Tensor& indices, int axis) {
  detail::check_defined("index_select", {"x", x});
  axis = normalize_axis("index_select", axis, x.rank());
  detail::check_indices("index_select", "indices", indices, x.shape()[axis]);
  if (indices.rank() != 1)
    throw ShapeError("index_select: indices must be [n], they are " + to_string(indices.shape()));
  Shape column(x.rank(), 1);
  Shape shape = x.shape();
  column[axis] = shape[axis] = indices.shape()[0];
  return detail::take_along("index_select", x, indices.reshape(column).broadcast_to(shape), axis);
}

Variable take(const Variable& x, const Tensor& indices) {
  detail::check_defined("take", {"x", x});
  detail::check_indices("take", "indices", indices, x.value().size());
  const Variable flat = reshape(x, {x.value().size()});
  return reshape(detail::take_along("take", flat, indices.reshape({indices.size()}), 0),
                 indices.shape());
}

Variable masked_fill(const Variable& x, const Tensor& mask, double value) {
  if (!x.defined() || !mask.defined())
    throw ArgumentError("masked_fill: x is " + describe(x.value()) + ", the mask is " +
                        describe(mask));
  if (broadcast("masked_fill", x.shape(), mask.shape()) != x.shape())
    throw ShapeError("masked_fill: mask " + to_string(mask.shape()) +
                     " does not broadcast to the shape of x, " + to_string(x.shape()));
  return where(mask, full({}, value, x.dtype()), x);
}

Tensor one_hot(const Tensor& indices, Index classes, Dtype dtype) {
  detail::check_indices("one_hot", "indices", indices, classes);
  Shape shape = indices.shape();
  shape.push_back(classes);
  Tensor y = zeros(shape, dtype);
  const Tensor packed = indices.contiguous();
  const std::int64_t* index = packed.data<std::int64_t>();
  dispatch(dtype, [&]<class T>(T) {
    T* row = y.in_place<T>();
    for (Index k = 0; k < packed.size(); ++k) row[k * classes + index[k]] = T(1);
  });
  return y;
}

}  // namespace unroll
