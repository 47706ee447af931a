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
  const void* data = nullptr;
  CBLAS_TRANSPOSE transpose = CblasNoTrans;
  int leading = 1;
  Tensor copy = {};  // keeps `data` when the matrix had to be packed
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
    return {x.address(), CblasNoTrans, to_int(rows == 1 ? std::max<Index>(columns, 1) : down)};
  if (rows_lie_apart(columns, rows, across, down))
    return {x.address(), CblasTrans, to_int(columns == 1 ? std::max<Index>(rows, 1) : across)};
  Operand packed{nullptr, CblasNoTrans, to_int(std::max<Index>(columns, 1)), x.clone()};
  packed.data = packed.copy.address();
  return packed;
}

template <class T>
void blas_gemm(const Operand& a, const Operand& b, T* c, int m, int n, int k, double beta,
               int leading) {
  const T* x = static_cast<const T*>(a.data);
  const T* y = static_cast<const T*>(b.data);
  if constexpr (sizeof(T) == sizeof(float))
    cblas_sgemm(CblasRowMajor, a.transpose, b.transpose, m, n, k, 1.0F, x, a.leading, y, b.leading,
                static_cast<float>(beta), c, leading);
  else
    cblas_dgemm(CblasRowMajor, a.transpose, b.transpose, m, n, k, 1.0, x, a.leading, y, b.leading,
                beta, c, leading);
}

/// c = x b + beta c for one row x, which BLAS does faster as a matrix times a vector.
template <class T>
void blas_gemv(const T* x, int step, const Operand& b, T* c, int n, int k, double beta) {
  const T* y = static_cast<const T*>(b.data);
  const bool by_rows = b.transpose == CblasNoTrans;
  const int rows = by_rows ? k : n;
  const int columns = by_rows ? n : k;
  const CBLAS_TRANSPOSE transpose = by_rows ? CblasTrans : CblasNoTrans;
  if constexpr (sizeof(T) == sizeof(float))
    cblas_sgemv(CblasRowMajor, transpose, rows, columns, 1.0F, y, b.leading, x, step,
                static_cast<float>(beta), c, 1);
  else
    cblas_dgemv(CblasRowMajor, transpose, rows, columns, 1.0, y, b.leading, x, step, beta, c, 1);
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
  const Operand right = operand(b);
  dispatch_floating(c.dtype(), [&]<class T>(T) {
    T* to = c.mutable_data<T>();
    if (m == 1 && a.strides()[1] > 0) {
      blas_gemv(a.data<T>(), to_int(a.strides()[1]), right, to, to_int(n), to_int(k), beta);
      return;
    }
    blas_gemm(operand(a), right, to, to_int(m), to_int(n), to_int(k), beta,
              to_int(std::max(c.strides()[0], n)));
  });
}

}  // namespace unroll::kernels
