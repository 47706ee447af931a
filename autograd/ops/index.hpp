#pragma once

#include <autograd/variable.hpp>

#include <optional>

namespace unroll {

/// Rows of a table: `table: [V,D]`, `indices: [...]` int64, result `[...,D]`. The gradient of the
/// table stays a list of rows. Throws ArgumentError for an index outside 0..V-1, DtypeError,
/// ShapeError.
Variable embedding(const Variable& table, const Tensor& indices);

namespace detail {
/// `values: [n,D]` added into zeros `[rows,D]` at `indices: [n]`: what embedding does to its
/// gradient.
Variable scatter_rows(const Variable& values, const Tensor& indices, Index rows);

/// Throws unless `indices` is int64 and every one lies in 0..count-1, or is the one that is allowed
/// besides.
void check_indices(const char* operation, const char* name, const Tensor& indices, Index count,
                   std::optional<Index> besides = {});
}  // namespace detail

}  // namespace unroll
