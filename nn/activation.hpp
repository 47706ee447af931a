#pragma once

#include <autograd/ops/elementwise.hpp>

namespace unroll::nn {

/// A function of one tensor that keeps its shape: `tanh`, `relu`, `sigmoid`, or a lambda without
/// captures, as `[](const Variable& o) { return softmax(o); }`.
using Activation = Variable (*)(const Variable&);

/// The activation of a linear unit.
inline Variable identity(const Variable& x) { return x; }

}  // namespace unroll::nn
