#pragma once

#include <autograd/verify/gradcheck.hpp>
#include <autograd/verify/varied.hpp>

namespace unroll::detail {

/// Compares the gradients that the tape computes with differences, and finds out why they disagree.
GradcheckReport compare_gradients(const Varied& f, const GradcheckOptions& options);

/// Compares jvp with vjp alone, along a random direction.
GradcheckReport compare_jvp(const Varied& f, const GradcheckOptions& options);

}  // namespace unroll::detail
