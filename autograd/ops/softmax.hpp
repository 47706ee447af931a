#pragma once

#include <autograd/variable.hpp>

namespace unroll {

/// e^x / sum e^x along an axis, without overflow. Any shape, float32 or float64; result of the
/// shape of x.
Variable softmax(const Variable& x, int axis = -1);

/// log softmax(x) along an axis, without overflow or loss of digits.
Variable log_softmax(const Variable& x, int axis = -1);

/// Mean over all rows of -log softmax(logits)[target]: `logits: [...,C]`, `targets: [...]` int64,
/// result a scalar, in nats. Throws ShapeError when the leading sizes differ, ArgumentError for a
/// target outside 0..C-1, DtypeError.
Variable cross_entropy(const Variable& logits, const Tensor& targets);

}  // namespace unroll
