#pragma once

#include <autograd/tensor/loop.hpp>
#include <autograd/tensor/tensor.hpp>

namespace unroll::kernels {

/// result = test(a, b) ? 1 : 0, over equal shapes and one dtype; any strides, result contiguous.
template <class F>
void compare(const Tensor& a, const Tensor& b, Tensor& result, F test) {
  const Walk<3> walk(result.shape(), {a.strides(), b.strides(), result.strides()});
  const Index n = walk.row_size();
  const Index step_a = walk.row_stride(0);
  const Index step_b = walk.row_stride(1);
  const Index step = walk.row_stride(2);
  dispatch(result.dtype(), [&]<class T>(T) {
    const T* x = a.data<T>();
    const T* y = b.data<T>();
    T* to = result.in_place<T>();
    walk.for_each_row([&](const std::array<Index, 3>& at) {
      for (Index i = 0; i < n; ++i)
        to[at[2] + i * step] = test(x[at[0] + i * step_a], y[at[1] + i * step_b]) ? T(1) : T(0);
    });
  });
}

}  // namespace unroll::kernels
