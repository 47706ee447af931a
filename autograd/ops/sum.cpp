#include <autograd/ops/check.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/sum.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <string>

namespace unroll {
namespace {

Shape with_ones(const char* operation, const Shape& shape, std::initializer_list<int> axes) {
  Shape kept = shape;
  for (int axis : axes) kept[normalize_axis(operation, axis, shape.rank())] = 1;
  return kept;
}

Shape without(const char* operation, const Shape& shape, std::initializer_list<int> axes) {
  Shape marked = shape;
  for (int axis : axes) marked[normalize_axis(operation, axis, shape.rank())] = -1;
  Shape rest;
  for (Index n : marked)
    if (n != -1) rest.push_back(n);
  return rest;
}

Variable divided(const char* operation, const Variable& total, Index count) {
  if (total.value().size() == 0) return total;
  if (count == 0) throw ShapeError(std::string(operation) + ": there are no elements to average");
  return total * (1.0 / static_cast<double>(count));
}

}  // namespace

Variable sum(const Variable& x) {
  detail::check_floating("sum", {"x", x});
  return sum_to(x, {});
}

Variable sum(const Variable& x, std::initializer_list<int> axes, bool keep_axes) {
  detail::check_floating("sum", {"x", x});
  const Variable total = sum_to(x, with_ones("sum", x.shape(), axes));
  return keep_axes ? total : reshape(total, without("sum", x.shape(), axes));
}

Variable mean(const Variable& x) { return divided("mean", sum(x), x.value().size()); }

Variable mean(const Variable& x, std::initializer_list<int> axes, bool keep_axes) {
  const Variable total = sum(x, axes, keep_axes);
  return divided("mean", total, x.value().size() / std::max<Index>(total.value().size(), 1));
}

}  // namespace unroll
