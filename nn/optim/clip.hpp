#pragma once

#include <autograd/tape/gradient.hpp>

namespace unroll::nn {

/// Euclidean norm of all parameter gradients taken together.
double global_norm(const Gradients& gradients);

/// Scales all parameter gradients by one factor so that their global norm is at most `max_norm`
/// (Pascanu et al., 2013); returns the norm before. Gradients whose norm is not finite stay as they
/// are: see Optimizer::set_non_finite. Throws ArgumentError unless max_norm is positive.
double clip_by_global_norm(Gradients& gradients, double max_norm);

/// Scales the gradient of each parameter by a factor of its own so that its norm is at most
/// `max_norm`. This changes the direction of the step: prefer clip_by_global_norm unless the
/// parameters need separate bounds. Gradients whose norm is not finite stay as they are. Throws
/// ArgumentError unless max_norm is positive.
void clip_by_norm(Gradients& gradients, double max_norm);

/// Limits every element of the gradients to [-limit, limit], after the terms of a row that was
/// looked up several times are added up. An infinity becomes the limit, a NaN stays. Throws
/// ArgumentError unless the limit is positive.
void clip_by_value(Gradients& gradients, double limit);

}  // namespace unroll::nn
