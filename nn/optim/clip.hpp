#pragma once

#include <autograd/tape/gradient.hpp>

namespace unroll::nn {

/// Euclidean norm of all parameter gradients taken together.
double global_norm(const Gradients& gradients);

/// Scales all parameter gradients by one factor so that their global norm is at most `max_norm`
/// (Pascanu et al., 2013); returns the norm before. Gradients whose norm is not finite stay as they
/// are: see Optimizer::set_non_finite. Throws ArgumentError unless max_norm is positive.
double clip_by_global_norm(Gradients& gradients, double max_norm);

}  // namespace unroll::nn
