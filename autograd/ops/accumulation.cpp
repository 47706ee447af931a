#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/tape/accumulation.hpp>

namespace unroll::detail::accumulation {

Variable sum(const Variable& a, const Variable& b) { return a + b; }
Variable scaled(const Variable& x, double factor) { return x * factor; }
Variable summed_to(const Variable& g, const Shape& shape) { return sum_to(g, shape); }
Variable reshaped(const Variable& g, const Shape& shape) { return reshape(g, shape); }
Variable embedded(const Variable& g, const Shape& shape, const Part& part) {
  return embed(g, shape, part);
}
Variable rows(const Variable& values, const Tensor& indices, Index count) {
  return scatter_rows(values, indices, count);
}
Variable product(const Variable& a, const Variable& b) { return matmul(transpose(a), b); }

}  // namespace unroll::detail::accumulation
