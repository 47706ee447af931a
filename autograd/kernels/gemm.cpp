#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/packed.hpp>
#include <autograd/kernels/parallel.hpp>
#include <autograd/kernels/tiles.hpp>
#include <autograd/tensor/copy.hpp>
#include <autograd/tensor/error.hpp>

#include <cblas.h>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace unroll::kernels {
namespace {

/// A matrix as BLAS wants it: row-major with a leading dimension, perhaps read transposed.
struct Operand {
  const void* data = nullptr;
  CBLAS_TRANSPOSE transpose = CblasNoTrans;
  int leading = 1;
  Tensor copy = {};  // keeps `data` when the matrix had to be packed

  template <class T>
  const T* at(Index row, Index column) const {
    return static_cast<const T*>(data) +
           (transpose == CblasNoTrans ? row * leading + column : column * leading + row);
  }
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

/// Rows [rows.begin, rows.end) and columns [columns.begin, columns.end) of c = a b + beta c.
template <class T>
void blas_gemm(const Operand& a, const Operand& b, T* c, Index c_stride, Range rows, Range columns,
               Index inner, double beta) {
  const int m = to_int(rows.end - rows.begin);
  const int n = to_int(columns.end - columns.begin);
  const int k = to_int(inner);
  if (m == 0 || n == 0) return;
  const T* x = a.at<T>(rows.begin, 0);
  const T* y = b.at<T>(0, columns.begin);
  T* z = c + rows.begin * c_stride + columns.begin;
  const int leading = to_int(std::max(c_stride, columns.end));
  if constexpr (sizeof(T) == sizeof(float))
    cblas_sgemm(CblasRowMajor, a.transpose, b.transpose, m, n, k, 1.0F, x, a.leading, y, b.leading,
                static_cast<float>(beta), z, leading);
  else
    cblas_dgemm(CblasRowMajor, a.transpose, b.transpose, m, n, k, 1.0, x, a.leading, y, b.leading,
                beta, z, leading);
}

/// The same for one row x, by whoever reads the matrix faster.
template <class T>
void multiply_row(const T* x, Index step, const Operand& b, T* c, Range columns, Index inner,
                  double beta) {
  const int n = to_int(columns.end - columns.begin);
  const int k = to_int(inner);
  if (n == 0) return;
  const T* y = b.at<T>(0, columns.begin);
  T* z = c + columns.begin;
  // Long rows come from memory, which BLAS does not read at its full speed.
  constexpr Index kLongRow = 64;
  const bool is_added_or_set = beta == 0.0 || beta == 1.0;
  if constexpr (std::is_same_v<T, float>)
    if (b.transpose == CblasTrans && step == 1 && inner >= kLongRow && is_added_or_set)
      return tiles().dots(y, b.leading, n, x, inner, z, beta == 1.0);
  const bool by_rows = b.transpose == CblasNoTrans;
  const CBLAS_TRANSPOSE transpose = by_rows ? CblasTrans : CblasNoTrans;
  if constexpr (sizeof(T) == sizeof(float))
    cblas_sgemv(CblasRowMajor, transpose, by_rows ? k : n, by_rows ? n : k, 1.0F, y, b.leading, x,
                to_int(step), static_cast<float>(beta), z, 1);
  else
    cblas_dgemv(CblasRowMajor, transpose, by_rows ? k : n, by_rows ? n : k, 1.0, y, b.leading, x,
                to_int(step), beta, z, 1);
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
  const bool has_unit_stride = a.strides()[0] == 1 || a.strides()[1] == 1;
  if (has_unit_stride && c.strides()[1] == 1 && (beta == 0.0 || beta == 1.0) &&
      PackedMatrix::pays_once(c.dtype(), m, k, n)) {
    PackedMatrix(b).multiply(a, beta == 0.0 ? Tensor() : c, c);
    return;
  }
  // BLAS keeps to one thread; the result is cut into blocks of rows or columns here.
  constexpr Index kGrain = 16;
  const int parts =
      parts_for(2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k));
  const Operand right = operand(b);
  dispatch_floating(c.dtype(), [&]<class T>(T) {
    T* to = c.in_place<T>();
    if (m == 1 && a.strides()[1] > 0) {
      parallel_for(parts, [&](int part) {
        multiply_row(a.data<T>(), a.strides()[1], right, to, part_of(n, parts, part, kGrain), k,
                     beta);
      });
      return;
    }
    const Operand left = operand(a);
    const bool by_rows = m >= n;
    parallel_for(parts, [&](int part) {
      const Range range = part_of(by_rows ? m : n, parts, part, kGrain);
      blas_gemm(left, right, to, c.strides()[0], by_rows ? range : Range{0, m},
                by_rows ? Range{0, n} : range, k, beta);
    });
  });
}

}  // namespace unroll::kernels
