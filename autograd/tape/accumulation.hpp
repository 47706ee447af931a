#pragma once

#include <autograd/tape/variable.hpp>

namespace unroll::detail {

struct Part;

/// What gradients are added up with where kernels alone do not do: operations on variables, so that
/// a backward pass which is itself recorded records its sums too. The tape says here what it needs;
/// it stands below the operations, which provide it in autograd/ops/accumulation.cpp.
namespace accumulation {

Variable sum(const Variable& a, const Variable& b);
Variable scaled(const Variable& x, double factor);
/// The sum over the axes along which x, of this shape, was broadcast.
Variable summed_to(const Variable& g, const Shape& shape);
Variable reshaped(const Variable& g, const Shape& shape);
/// Zeros of this shape with g at a part of it.
Variable embedded(const Variable& g, const Shape& shape, const Part& part);
/// Zeros `[count,D]` with `values: [n,D]` added at the rows `indices: [n]`.
Variable rows(const Variable& values, const Tensor& indices, Index count);
/// a^T b.
Variable product(const Variable& a, const Variable& b);

}  // namespace accumulation
}  // namespace unroll::detail
