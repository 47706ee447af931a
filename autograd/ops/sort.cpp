#include <autograd/kernels/along.hpp>
#include <autograd/ops/check.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/sort.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {

/// The first `count` positions in order along an axis counted from the front.
Tensor order(const Tensor& x, int axis, Index count, bool descending) {
  const Tensor turned = x.transpose(axis, -1);
  Shape shape = turned.shape();
  shape[shape.rank() - 1] = count;
  const Index rows = count == 0 ? 0 : size_of(shape) / count;
  Tensor index = Tensor::empty({rows, count}, Dtype::int64);
  if (index.size() > 0)
    kernels::order_rows(turned.reshape({rows, turned.size(-1)}).contiguous(), descending, index);
  return index.reshape(shape).transpose(axis, -1);
}

int check(const char* operation, const Variable& x, int axis) {
  detail::check_defined(operation, {"x", x});
  return normalize_axis(operation, axis, x.rank());
}

Sorted in_order(const char* operation, const Variable& x, int axis, Tensor indices) {
  Variable values = detail::take_along(operation, x, indices, axis);
  return {std::move(values), std::move(indices)};
}

}  // namespace

Sorted sort(const Variable& x, int axis, bool descending) {
  axis = check("sort", x, axis);
  return in_order("sort", x, axis, order(x.value(), axis, x.shape()[axis], descending));
}

Tensor argsort(const Variable& x, int axis, bool descending) {
  axis = check("argsort", x, axis);
  return order(x.value(), axis, x.shape()[axis], descending);
}

Sorted topk(const Variable& x, Index count, int axis, bool largest) {
  axis = check("topk", x, axis);
  if (count < 0 || count > x.shape()[axis])
    throw ArgumentError("topk: " + std::to_string(count) + " numbers are not to be had of axis " +
                        std::to_string(axis) + " of x " + to_string(x.shape()));
  return in_order("topk", x, axis, order(x.value(), axis, count, largest));
}

}  // namespace unroll
