#pragma once

#include <autograd/tensor/tensor.hpp>

/// The recurrence h_t = a_t h_{t-1} + b_t along the first axis, of real or of complex numbers. All
/// tensors have one floating dtype, and those of the shape of b are contiguous: `[T,B,...]`, or
/// `[T,B,2,...]` for complex numbers, the real before the imaginary parts. No size is 0.
namespace unroll::kernels {

struct LinearScan {
  bool complex = false;
  bool reverse = false;  ///< from the last step to the first: h_t = a_t h_{t+1} + b_t
  /// The state before the first step, of the shape of one step of b; zeros when undefined.
  Tensor start = {};
  /// Int64 `[B]`, the number of steps of each sequence; undefined when all have T. Past its end a
  /// sequence keeps its state, and a and b are not read there.
  Tensor lengths = {};
  /// `[T,B]`: where not 0, the step takes the state before it to be `restart`. Undefined when there
  /// are none.
  Tensor resets = {};
  Tensor restart = {};  ///< of the shape of start; zeros when undefined
};

/// True when the gradient of a is the sum over all steps, and so has one step.
bool is_constant_in_time(const Tensor& a);

/// `b` and `h` of one shape; `a` of that shape too, contiguous but for axes of stride 0 along which
/// it is broadcast.
void linear_scan(const Tensor& a, const Tensor& b, const LinearScan& how, Tensor& h);

/// Those that are undefined are not computed.
struct LinearScanGradients {
  Tensor a;  ///< of the shape of h, or of its first step when a is constant in time
  Tensor b;
  Tensor start, restart;
};
/// Given `g`, the gradient of h.
void linear_scan_gradient(const Tensor& a, const Tensor& h, const LinearScan& how, const Tensor& g,
                          LinearScanGradients& gradients);

}  // namespace unroll::kernels
