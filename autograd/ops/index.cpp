#include <autograd/error.hpp>
#include <autograd/kernels/rows.hpp>
#include <autograd/ops/index.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/tape.hpp>

#include <string>

namespace unroll {

void detail::check_indices(const char* operation, const char* name, const Tensor& indices,
                           Index count, std::optional<Index> besides) {
  if (!indices.defined() || indices.dtype() != Dtype::int64)
    throw DtypeError(std::string(operation) + ": " + name + " must be int64, got " +
                     describe(indices));
  const Tensor packed = indices.contiguous();
  const std::int64_t* index = packed.data<std::int64_t>();
  for (Index k = 0; k < packed.size(); ++k)
    if ((index[k] < 0 || index[k] >= count) && index[k] != besides)
      throw ArgumentError(std::string(operation) + ": " + name + " " + to_string(indices.shape()) +
                          " holds " + std::to_string(index[k]) + " at position " +
                          std::to_string(k) + ", outside 0.." + std::to_string(count - 1));
}

Variable embedding(const Variable& table, const Tensor& indices) {
  if (!table.defined() || table.rank() != 2)
    throw ShapeError("embedding: the table must be [V,D], got " + describe(table.value()));
  if (!is_floating(table.dtype()))
    throw DtypeError("embedding: the table must be float32 or float64, it is " +
                     describe(table.value()));
  detail::check_indices("embedding", "indices", indices, table.size(0));
  const Tensor flat = indices.contiguous().reshape({-1});
  Tensor y = Tensor::empty({flat.size(0), table.size(1)}, table.dtype());
  kernels::gather_rows(table.value(), flat, y);
  Shape shape = indices.shape();
  shape.push_back(table.size(1));
  y = y.reshape(shape);
  if (!recording("embedding", table)) return y;
  return record("embedding", std::move(y),
                [table = table.without_value(), flat](const Variable& g, BackwardPass& pass) {
                  pass.add_rows(table, flat, reshape(g, {flat.size(0), table.size(1)}));
                });
}

Variable detail::scatter_rows(const Variable& values, const Tensor& indices, Index rows) {
  Tensor y = zeros({rows, values.size(1)}, values.dtype());
  kernels::scatter_add_rows(values.value(), indices, y);
  if (!recording("scatter_rows", values)) return y;
  return record("scatter_rows", std::move(y),
                [values = values.without_value(), indices](const Variable& g, BackwardPass& pass) {
                  pass.add(values, embedding(g, indices));
                });
}

}  // namespace unroll
