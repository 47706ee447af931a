#include <autograd/kernels/rows.hpp>

#include <algorithm>

namespace unroll::kernels {

void gather_rows(const Tensor& table, const Tensor& indices, Tensor& result) {
  const Index columns = table.shape()[1];
  const Index down = table.strides()[0];
  const Index across = table.strides()[1];
  const std::int64_t* at = indices.data<std::int64_t>();
  dispatch_floating(table.dtype(), [&]<class T>(T) {
    const T* rows = table.data<T>();
    T* to = result.in_place<T>();
    for (Index k = 0; k < indices.size(); ++k, to += columns) {
      const T* row = rows + at[k] * down;
      if (across == 1)
        std::copy_n(row, columns, to);
      else
        for (Index j = 0; j < columns; ++j) to[j] = row[j * across];
    }
  });
}

void scatter_add_rows(const Tensor& values, const Tensor& indices, Tensor& table) {
  const Tensor packed = values.contiguous();
  const Index columns = table.shape()[1];
  const std::int64_t* at = indices.data<std::int64_t>();
  dispatch_floating(table.dtype(), [&]<class T>(T) {
    const T* from = packed.data<T>();
    T* rows = table.in_place<T>();
    for (Index k = 0; k < indices.size(); ++k, from += columns) {
      T* row = rows + at[k] * columns;
      for (Index j = 0; j < columns; ++j) row[j] += from[j];
    }
  });
}

}  // namespace unroll::kernels
