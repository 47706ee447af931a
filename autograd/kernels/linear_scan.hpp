#pragma once

#include <autograd/tensor/tensor.hpp>

/// The recurrence h_t = a_t h_{t-1} + b_t along the first axis. All tensors are contiguous
/// matrices of one floating dtype: rows are time steps, columns are independent.
namespace unroll::kernels {

struct LinearScan {
  bool reverse = false;  ///< from the last row to the first: h_t = a_t h_{t+1} + b_t
  Tensor start = {};     ///< `[N]`, the state before the first step; zeros when undefined
  /// `[T,B]`, for N = B columns of equal width: where not 0, the step takes the state before it to
  /// be zero, even if that is not finite. Undefined when there are none.
  Tensor resets = {};
};

/// `a`, `b` and `h: [T,N]`.
void linear_scan(const Tensor& a, const Tensor& b, const LinearScan& how, Tensor& h);

/// The gradients of a, b and start, given `g: [T,N]`, that of h; one that is undefined is not
/// computed.
void linear_scan_gradient(const Tensor& a, const Tensor& h, const LinearScan& how, const Tensor& g,
                          Tensor& da, Tensor& db, Tensor& dstart);

}  // namespace unroll::kernels
