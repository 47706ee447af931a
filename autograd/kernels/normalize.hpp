#pragma once

#include <autograd/tensor/tensor.hpp>

/// Normalises the rows of contiguous floating matrices `[n,D]`.
namespace unroll::kernels {

/// How a row x becomes z = (x - m) r, which is then scaled: r = 1 / sqrt(mean (x - m)^2 + epsilon).
struct Normalization {
  bool centered;  ///< m is the mean of the row, otherwise 0
  double epsilon;
  Tensor scale;  ///< [D] of the dtype of x, contiguous; undefined: ones
};

/// y = z scale + shift, with m and r of each row: `x, y: [n,D]`, `moments: [n,2]` float64. `shift`
/// like scale; undefined: zeros.
void normalize_rows(const Tensor& x, const Normalization& how, const Tensor& shift, Tensor& y,
                    Tensor& moments);

/// The gradients, given that of y. With h = g scale:
///
///   dx = r (h - mean h [centered] - z mean h z)     dscale = sum g z     dshift = sum g
///
/// Those of scale and shift, `[D]`, are left out when undefined. One pass over x and g.
void normalize_rows_gradient(const Tensor& x, const Normalization& how, const Tensor& moments,
                             const Tensor& g, Tensor& dx, Tensor& dscale, Tensor& dshift);

}  // namespace unroll::kernels
