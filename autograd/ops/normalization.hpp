#pragma once

#include <autograd/tape/variable.hpp>

/// Normalises each vector along the last axis of `x: [...,D]` on its own: the result does not
/// depend on the batch, on training or evaluation, or on other time steps. `scale` and `shift`:
/// `[D]`, of the dtype of x; either may be left undefined. Result of the shape of x. Forward and
/// backward take one pass over the rows each. Throws ShapeError when sizes differ or D is 0,
/// DtypeError, ArgumentError unless epsilon >= 0.
namespace unroll {

/// (x - mean) / sqrt(variance + epsilon) scale + shift, with the mean and the variance (divided by
/// D) of each vector (Ba, Kiros, Hinton, 2016).
Variable layer_norm(const Variable& x, const Variable& scale = {}, const Variable& shift = {},
                    double epsilon = 1e-5);

/// x / sqrt(mean x^2 + epsilon) scale (Zhang, Sennrich, 2019): the same without the mean, which is
/// cheaper and often as good.
Variable rms_norm(const Variable& x, const Variable& scale = {}, double epsilon = 1e-5);

}  // namespace unroll
