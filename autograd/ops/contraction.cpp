#include <autograd/ops/check.hpp>
#include <autograd/ops/contraction.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tensor/error.hpp>

#include <string>

namespace unroll {
namespace {}  // namespace

Variable outer(const Variable& a, const Variable& b) {
  detail::check_same_dtype("outer", {{"a", a}, {"b", b}});
  if (a.rank() != 1 || b.rank() != 1)
    throw ShapeError("outer: a " + to_string(a.shape()) + " and b " + to_string(b.shape()) +
                     " must be vectors");
  return unsqueeze(a, 1) * b;
}

Variable dot(const Variable& a, const Variable& b) {
  detail::check_same_dtype("dot", {{"a", a}, {"b", b}});
  if (a.rank() != 1 || a.shape() != b.shape())
    throw ShapeError("dot: a " + to_string(a.shape()) + " and b " + to_string(b.shape()) +
                     " must be vectors of one size");
  return reshape(matmul(unsqueeze(a, 0), unsqueeze(b, 1)), {});
}

Variable bilinear(const Variable& a, const Variable& b, const Variable& weight,
                  const Variable& bias) {
  detail::check_same_dtype("bilinear", {{"a", a}, {"b", b}});
  detail::check_same_dtype("bilinear", {{"a", a}, {"weight", weight}});
  if (bias.defined()) detail::check_same_dtype("bilinear", {{"a", a}, {"bias", bias}});
  Shape expected = a.shape();
  if (a.rank() > 0 && b.rank() > 0) expected[a.rank() - 1] = b.shape().back();
  if (a.rank() == 0 || b.shape() != expected || weight.rank() != 3 ||
      weight.size(1) != a.shape().back() || weight.size(2) != b.shape().back() ||
      (bias.defined() && bias.shape() != Shape{weight.size(0)}))
    throw ShapeError("bilinear: a " + to_string(a.shape()) + ", b " + to_string(b.shape()) +
                     ", weight " + to_string(weight.shape()) +
                     (bias.defined() ? ", bias " + to_string(bias.shape()) : "") +
                     " must be [...,I], [...,J], [O,I,J], [O]");
  // All products a_i b_j side by side, then one matrix product for everything.
  const Index rows = size_of(a.shape()) == 0 ? 0 : size_of(a.shape()) / a.shape().back();
  const Index pairs = weight.size(1) * weight.size(2);
  Shape shape = a.shape();
  shape[a.rank() - 1] = weight.size(0);
  if (pairs == 0 || rows == 0)
    return broadcast_to(bias.defined() ? bias : zeros({}, a.dtype()), shape);
  const Variable left = reshape(a, {rows, weight.size(1), 1});
  const Variable right = reshape(b, {rows, 1, weight.size(2)});
  const Variable flat = reshape(weight, {weight.size(0), pairs});
  return reshape(linear(reshape(left * right, {rows, pairs}), flat, bias), shape);
}

}  // namespace unroll
