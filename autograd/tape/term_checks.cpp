#include <autograd/tape/term_checks.hpp>
#include <autograd/tensor/error.hpp>

#include <cstdint>
#include <span>

namespace unroll::detail {
namespace {

std::string pass_of(const char* operation) { return std::string("backward pass of ") + operation; }

/// True when a gradient of this shape can be summed to that of an argument that was broadcast.
bool broadcasts(const Shape& argument, const Shape& gradient) {
  const int more = gradient.rank() - argument.rank();
  if (more < 0) return false;
  for (int axis = 0; axis < argument.rank(); ++axis)
    if (argument[axis] != 1 && argument[axis] != gradient[axis + more]) return false;
  return true;
}

void check_dtype(const char* operation, const Variable& x, const Variable& g) {
  if (!g.defined())
    throw ArgumentError(pass_of(operation) + ": the gradient of an argument " +
                        describe(x.value()) + " is undefined; add nothing where there is none");
  if (g.dtype() != x.dtype())
    throw DtypeError(pass_of(operation) + ": the gradient of an argument " + describe(x.value()) +
                     " is " + describe(g.value()) + "; it must have the dtype of the argument");
}

}  // namespace

void check_term(const char* operation, const Variable& x, const Variable& g) {
  check_dtype(operation, x, g);
  if (g.shape() != x.shape() && !broadcasts(x.shape(), g.shape()))
    throw ShapeError(pass_of(operation) + ": the gradient of an argument of shape " +
                     to_string(x.shape()) + " has shape " + to_string(g.shape()) +
                     "; it must have the shape of the argument, or one that it was broadcast to");
}

void check_region(const char* operation, const Variable& x, const BackwardPass::Region& region,
                  const Variable& g) {
  check_dtype(operation, x, g);
  bool fits = region.axis >= 0 && region.axis < x.rank() && g.rank() == x.rank();
  for (int axis = 0; fits && axis < x.rank(); ++axis)
    fits = axis == region.axis || g.shape()[axis] == x.shape()[axis];
  if (fits && g.shape()[region.axis] > 0) {
    const Index size = x.shape()[region.axis];
    const Index begin = region.begin < 0 ? region.begin + size : region.begin;
    const Index last = begin + (g.shape()[region.axis] - 1) * region.step;
    fits = begin >= 0 && begin < size && last >= 0 && last < size;
  }
  if (!fits)
    throw ShapeError(pass_of(operation) + ": add_region: the gradient of the positions " +
                     std::to_string(region.begin) + ".." + std::to_string(region.end) + " step " +
                     std::to_string(region.step) + " of axis " + std::to_string(region.axis) +
                     " of an argument of shape " + to_string(x.shape()) + " has shape " +
                     to_string(g.shape()));
}

void check_rows(const char* operation, const Variable& x, const Tensor& indices,
                const Variable& g) {
  const auto describe_all = [&] {
    return pass_of(operation) + ": add_rows: x " + to_string(x.shape()) + ", indices " +
           describe(indices) + ", rows " + describe(g.value()) + ": ";
  };
  if (!indices.defined() || indices.dtype() != Dtype::int64 || !g.defined() ||
      g.dtype() != x.dtype())
    throw DtypeError(describe_all() + "indices must be int64, and rows of the dtype of x");
  if (x.rank() != 2 || indices.rank() != 1 || g.rank() != 2 || g.size(0) != indices.size() ||
      g.size(1) != x.size(1))
    throw ShapeError(describe_all() + "[V,D], [n] and [n,D] are needed");
  const Tensor packed = indices.contiguous();
  const std::span<const std::int64_t> rows(packed.data<std::int64_t>(),
                                           static_cast<std::size_t>(packed.size()));
  for (const std::int64_t row : rows)
    if (row < 0 || row >= x.size(0))
      throw ArgumentError(describe_all() + "index " + std::to_string(row) + " lies outside 0.." +
                          std::to_string(x.size(0) - 1));
}

void check_product(const char* operation, const Variable& x, const Variable& a, const Variable& b) {
  check_dtype(operation, x, a);
  check_dtype(operation, x, b);
  if (x.rank() != 2 || a.rank() != 2 || b.rank() != 2 || a.size(0) != b.size(0) ||
      a.size(1) != x.size(0) || b.size(1) != x.size(1))
    throw ShapeError(pass_of(operation) + ": add_product: a " + to_string(a.shape()) + " and b " +
                     to_string(b.shape()) + " for an argument of shape " + to_string(x.shape()) +
                     "; [K,M] and [K,N] for [M,N] are needed");
}

}  // namespace unroll::detail
