#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/recurrent/complex_products.hpp>

#include <string>

namespace unroll::nn {
namespace {

void check(const char* name, const char* what, const Variable& matrix) {
  if (!matrix.defined() || matrix.rank() != 3 || matrix.size(0) != 2)
    throw ShapeError(std::string(name) + ": the matrix must be " + what +
                     ", real and imaginary parts, it is " + describe(matrix.value()));
}

}  // namespace

Variable complex_product(const Variable& x, const Variable& matrix) {
  check("complex_product", "[2,N,I]", matrix);
  const Index size = matrix.size(1);
  const Variable y = linear(x, reshape(matrix, {2 * size, matrix.size(2)}));
  Shape shape = y.shape();
  shape[y.rank() - 1] = 2;
  shape.push_back(size);
  return reshape(y, shape);
}

Variable real_product(const Variable& h, const Variable& matrix, const Variable& bias) {
  check("real_product", "[2,O,N]", matrix);
  const Index size = matrix.size(2);
  if (!h.defined() || h.rank() < 2 || h.size(-2) != 2 || h.size(-1) != size)
    throw ShapeError("real_product: h is " + describe(h.value()) + ", with the matrix " +
                     to_string(matrix.shape()) + " it must be [...,2," + std::to_string(size) +
                     "]");
  Shape shape = h.shape();
  shape.erase(shape.rank() - 1);
  shape[shape.rank() - 1] = 2 * size;
  const Variable weight = concat({select(matrix, 0, 0), -select(matrix, 0, 1)});
  return linear(reshape(h, shape), weight, bias);
}

}  // namespace unroll::nn
