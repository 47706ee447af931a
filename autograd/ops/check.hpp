#pragma once

#include <autograd/tape/variable.hpp>

#include <initializer_list>
#include <optional>

/// The checks of arguments that operations share. Each message begins with the operation and names
/// the argument, its shape and dtype.
namespace unroll::detail {

/// An argument under the name that the operation's declaration gives it.
struct Argument {
  const char* name;
  const Variable& value;
};

/// Throws ArgumentError for an undefined variable.
void check_defined(const char* operation, const Argument& x);
/// Throws DtypeError unless x is float32 or float64.
void check_floating(const char* operation, const Argument& x);
/// Throws DtypeError unless all are defined and of one floating dtype.
void check_same_dtype(const char* operation, std::initializer_list<Argument> arguments);
/// Throws ShapeError unless both are defined and of one shape.
void check_same_shape(const char* operation, const Argument& a, const Argument& b);
/// Throws DtypeError unless `indices` are int64, and ArgumentError for one that is neither in
/// 0..count-1 nor `besides`.
void check_indices(const char* operation, const char* name, const Tensor& indices, Index count,
                   std::optional<Index> besides = {});

}  // namespace unroll::detail
