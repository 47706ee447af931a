#include <autograd/ops/diagonal.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>

namespace unroll {
namespace {

void check(const char* operation, const Variable& x, int axes) {
  if (!x.defined()) throw ArgumentError(std::string(operation) + ": x is undefined");
  if (x.rank() < axes)
    throw ShapeError(std::string(operation) + ": x " + to_string(x.shape()) + " needs at least " +
                     std::to_string(axes) + (axes == 1 ? " axis" : " axes"));
}

Tensor diagonal_view(const Tensor& x, int offset) {
  const int row = x.rank() - 2;
  const Index down = std::max<Index>(-Index{offset}, 0);
  const Index right = std::max<Index>(offset, 0);
  const Index length =
      std::max<Index>(std::min(x.shape()[row] - down, x.shape()[row + 1] - right), 0);
  const Index first = length == 0 ? 0 : down * x.strides()[row] + right * x.strides()[row + 1];
  Shape shape = x.shape();
  Strides strides = x.strides();
  strides[row] += strides[row + 1];
  shape[row] = length;
  shape.erase(row + 1);
  strides.erase(row + 1);
  return x.with_layout(shape, strides, first);
}

/// Zeros of `shape` with x on a diagonal.
Variable embedded(const Variable& x, const Shape& shape, int offset) {
  Tensor y = zeros(shape, x.dtype());
  Tensor target = diagonal_view(y, offset);
  kernels::copy(x.value(), target);
  if (!recording("diag_embed", x)) return y;
  return record("diag_embed", std::move(y),
                [x = x.without_value(), offset](const Variable& g, BackwardPass& pass) {
                  pass.add(x, diagonal(g, offset));
                });
}

enum class Triangle { lower, upper };

Variable triangle(const char* operation, const Variable& x, int offset, Triangle which) {
  check(operation, x, 2);
  Tensor y = x.value().clone();
  const Index rows = y.size(-2);
  const Index columns = y.size(-1);
  const Index matrices = y.size() == 0 ? 0 : y.size() / (rows * columns);
  dispatch(y.dtype(), [&]<class T>(T) {
    T* row = y.in_place<T>();
    for (Index m = 0; m < matrices; ++m)
      for (Index i = 0; i < rows; ++i, row += columns) {
        const bool lower = which == Triangle::lower;
        const Index cut = std::clamp<Index>(i + offset + (lower ? 1 : 0), 0, columns);
        std::fill(row + (lower ? cut : 0), row + (lower ? columns : cut), T(0));
      }
  });
  if (!recording(operation, x)) return y;
  return record(
      operation, std::move(y),
      [operation, x = x.without_value(), offset, which](const Variable& g, BackwardPass& pass) {
        pass.add(x, triangle(operation, g, offset, which));
      });
}

}  // namespace

Variable diagonal(const Variable& x, int offset) {
  check("diagonal", x, 2);
  Tensor y = diagonal_view(x.value(), offset);
  if (!recording("diagonal", x)) return y;
  return record("diagonal", std::move(y),
                [x = x.without_value(), offset](const Variable& g, BackwardPass& pass) {
                  pass.add(x, embedded(g, x.shape(), offset));
                });
}

Variable diag_embed(const Variable& x, int offset) {
  check("diag_embed", x, 1);
  Shape shape = x.shape();
  shape[x.rank() - 1] += std::abs(Index{offset});
  shape.push_back(shape.back());
  return embedded(x, shape, offset);
}

Variable diag(const Variable& x, int offset) {
  check("diag", x, 1);
  if (x.rank() > 2)
    throw ShapeError("diag: x " + to_string(x.shape()) +
                     " must be a vector or a matrix; use diag_embed or diagonal");
  return x.rank() == 1 ? diag_embed(x, offset) : diagonal(x, offset);
}

Variable tril(const Variable& x, int offset) {
  return triangle("tril", x, offset, Triangle::lower);
}
Variable triu(const Variable& x, int offset) {
  return triangle("triu", x, offset, Triangle::upper);
}

}  // namespace unroll
