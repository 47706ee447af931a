#pragma once

#include <autograd/tensor/loop.hpp>
#include <autograd/tensor/memory.hpp>
#include <autograd/tensor/random.hpp>
#include <autograd/tensor/tensor.hpp>

#include <cstdint>
#include <vector>

/// Numbers for tests, and the plainest way to compute with them.
namespace unroll::testing {

/// Unequal float64 numbers in [low, high), the same at every call with one seed.
inline Tensor random(const Shape& shape, std::uint64_t seed, double low = -1.0, double high = 1.0) {
  Generator generator(seed);
  return uniform(shape, low, high, Dtype::float64, generator);
}

/// The same in float32.
inline Tensor narrow(const Shape& shape, std::uint64_t seed) {
  return random(shape, seed).to(Dtype::float32);
}

using kernels::position_of;

/// The element that `x` has at `position` once it is expanded to the rank of `position`.
inline double broadcast_element(const std::vector<double>& x, const Shape& shape,
                                const Shape& position) {
  Index flat = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const Index at = position[axis + position.rank() - shape.rank()];
    flat = flat * shape[axis] + (shape[axis] == 1 ? 0 : at);
  }
  return x[static_cast<std::size_t>(flat)];
}

/// Bytes in blocks of this thread that are in use. Signed, as only differences mean something: a
/// block may be given back on another thread than it came from.
inline Index bytes_in_use() { return static_cast<Index>(memory::statistics().bytes_in_use); }

/// a b for `a: [m,k]`, `b: [k,n]`, row-major, by the definition.
inline std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b,
                                   Index m, Index k, Index n) {
  std::vector<double> c(static_cast<std::size_t>(m * n), 0.0);
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j)
      for (Index l = 0; l < k; ++l)
        c[static_cast<std::size_t>(i * n + j)] +=
            a[static_cast<std::size_t>(i * k + l)] * b[static_cast<std::size_t>(l * n + j)];
  return c;
}

inline std::vector<double> product(const Tensor& a, const Tensor& b) {
  return product(a.to_vector<double>(), b.to_vector<double>(), a.size(0), a.size(1), b.size(1));
}

}  // namespace unroll::testing
