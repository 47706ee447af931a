#include <autograd/error.hpp>
#include <autograd/kernels/copy.hpp>
#include <autograd/kernels/gemm.hpp>

#include <cblas.h>

#include <algorithm>
#include <limits>

namespace unroll::kernels {
namespace {

/// A matrix as BLAS wants it: row-major with a leading dimension, perhaps read transposed.
struct Operand {
  Tensor tensor;
  CBLAS_TRANSPOSE transpose = CblasNoTrans;
  int leading = 1;
};

int to_int(Index n) {
  if (n > std::numeric_limits<int>::max())
    throw ShapeError("matmul: a size of " + std::to_string(n) +
                     " is more than BLAS takes (2^31 - 1)");
  return static_cast<int>(n);
}

bool rows_lie_apart(Index rows, Index columns, Index row_stride, Index column_stride) {
  return (column_stride == 1 || columns == 1) && (rows == 1 || row_stride >= columns);
}

Operand operand(const Tensor& x) {
  const Index rows = x.shape()[0];
  const Index columns = x.shape()[1];
  const Index down = x.strides()[0];
  const Index across = x.strides()[1];
  if (rows_lie_apart(rows, columns, down, across))
    return {x, CblasNoTrans, to_int(rows == 1 ? std::max<Index>(columns, 1) : down)};
  if (rows_lie_apart(columns, rows, across, down))
    return {x, CblasTrans, to_int(columns == 1 ? std::max<Index>(rows, 1) : across)};
  return {x.clone(), CblasNoTrans, to_int(std::max<Index>(columns, 1))};
}

void blas_gemm(const Operand& a, const Operand& b, float* c, int m, int n, int k, float beta,
               int ldc) {
  cblas_sgemm(CblasRowMajor, a.transpose, b.transpose, m, n, k, 1.0F, a.tensor.data<float>(),
              a.leading, b.tensor.data<float>(), b.leading, beta, c, ldc);
}

void blas_gemm(const Operand& a, const Operand& b, double* c, int m, int n, int k, double beta,
               int ldc) {
  cblas_dgemm(CblasRowMajor, a.transpose, b.transpose, m, n, k, 1.0, a.tensor.data<double>(),
              a.leading, b.tensor.data<double>(), b.leading, beta, c, ldc);
}

/// y = A x + beta y, which BLAS does faster than a product with one column.
void blas_gemv(const Operand& a, CBLAS_TRANSPOSE transpose, int rows, int columns, const float* x,
               int step, float beta, float* y) {
  cblas_sgemv(CblasRowMajor, transpose, rows, columns, 1.0F, a.tensor.data<float>(), a.leading, x,
              step, beta, y, 1);
}

void blas_gemv(const Operand& a, CBLAS_TRANSPOSE transpose, int rows, int columns, const double* x,
               int step, double beta, double* y) {
  cblas_dgemv(CblasRowMajor, transpose, rows, columns, 1.0, a.tensor.data<double>(), a.leading, x,
              step, beta, y, 1);
}

}  // namespace

void gemm(const Tensor& a, const Tensor& b, Tensor& c, double beta) {
  const Index m = a.shape()[0];
  const Index k = a.shape()[1];
  const Index n = b.shape()[1];
  if (m == 0 || n == 0) return;
  if (k == 0) {
    if (beta == 0.0)
      fill(c, 0.0);
    else if (beta != 1.0)
      scale(c, beta);
    return;
  }
  if (!rows_lie_apart(m, n, c.strides()[0], c.strides()[1])) {
    Tensor packed = Tensor::empty(c.shape(), c.dtype());
    if (beta != 0.0) copy(c, packed);
    gemm(a, b, packed, beta);
    copy(packed, c);
    return;
  }
  const Operand left = operand(a);
  const Operand right = operand(b);
  dispatch_floating(c.dtype(), [&]<class T>(T) {
    if (m == 1) {
      const bool stored_by_rows = right.transpose == CblasNoTrans;
      const Index step = std::max<Index>(k == 1 ? 1 : left.tensor.strides()[1], 1);
      blas_gemv(right, stored_by_rows ? CblasTrans : CblasNoTrans, to_int(stored_by_rows ? k : n),
                to_int(stored_by_rows ? n : k), left.tensor.data<T>(), to_int(step),
                static_cast<T>(beta), c.mutable_data<T>());
      return;
    }
    blas_gemm(left, right, c.mutable_data<T>(), to_int(m), to_int(n), to_int(k),
              static_cast<T>(beta), to_int(std::max(c.strides()[0], n)));
  });
}

}  // namespace unroll::kernels
