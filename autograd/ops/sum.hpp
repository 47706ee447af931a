#pragma once

#include <autograd/tape/variable.hpp>

#include <initializer_list>

namespace unroll {

/// Sum of all elements: a scalar, shape [].
Variable sum(const Variable& x);
/// Sum over some axes, which are dropped, or kept with size 1. Throws ArgumentError for an axis
/// outside.
Variable sum(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);

/// Mean of all elements: a scalar, shape [].
Variable mean(const Variable& x);
/// Mean over some axes, which are dropped, or kept with size 1.
Variable mean(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);

}  // namespace unroll
