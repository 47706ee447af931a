#pragma once

#include <autograd/tape/variable.hpp>

#include <initializer_list>

/// Reductions beside sum and mean: over all elements, to a scalar, or over some axes, which are
/// dropped, or kept with size 1. x: any shape, float32 or float64; the result has its dtype. An
/// axis may be counted from the end, and may be listed once. Throws ArgumentError for an axis
/// outside or listed twice, ShapeError where there are no elements to reduce, unless said
/// otherwise, DtypeError for int64.
namespace unroll {

/// Product; 1 for no elements. Derivatives of every order are right at zeros too.
Variable prod(const Variable& x);
Variable prod(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);

/// Largest and smallest; a NaN wins. Where several are equal the gradient goes to the first.
Variable max(const Variable& x);
Variable max(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);
Variable min(const Variable& x);
Variable min(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);

/// Mean square distance from the mean, divided by count - correction: 1 estimates the variance of
/// what the elements were drawn from, 0 is that of the elements themselves. Throws ShapeError
/// unless there are more elements than `correction`.
Variable variance(const Variable& x, double correction = 1.0);
Variable variance(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false,
                  double correction = 1.0);
/// The root of the variance; where that is 0, a kink, the derivative is 0. (A function named `std`
/// could not be called beside the namespace.)
Variable standard_deviation(const Variable& x, double correction = 1.0);
Variable standard_deviation(const Variable& x, std::initializer_list<int> axes,
                            bool keep_axes = false, double correction = 1.0);

/// log of the sum of e^x, without overflow.
Variable logsumexp(const Variable& x);
Variable logsumexp(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);

/// (sum |x|^order)^(1 / order), order >= 1, the largest |x| for infinity; no overflow in between.
/// Where the norm is 0, a kink, the derivative is 0. Throws ArgumentError for another order.
Variable norm(const Variable& x, double order = 2.0);
Variable norm(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false,
              double order = 2.0);

/// Position of the largest or smallest, int64: the first of equals, and the first NaN if there is
/// one. Without an axis it counts all elements in row-major order. x may be int64.
Tensor argmax(const Variable& x);
Tensor argmax(const Variable& x, int axis, bool keep_axis = false);
Tensor argmin(const Variable& x);
Tensor argmin(const Variable& x, int axis, bool keep_axis = false);

/// 1 if any, or if all, are not 0, otherwise 0, in the dtype of x, which may be int64; a NaN is not
/// 0. Of no elements, any is 0 and all is 1.
Tensor any_true(const Variable& x);
Tensor any_true(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);
Tensor all_true(const Variable& x);
Tensor all_true(const Variable& x, std::initializer_list<int> axes, bool keep_axes = false);

}  // namespace unroll
