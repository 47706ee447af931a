#pragma once

#include <autograd/verify/varied.hpp>

#include <vector>

namespace unroll::detail {

/// Of each element of a result that is nothing but the rounding of terms that cancel, such as a - a
/// computed in two ways, how large these terms are; 0 of other elements. Found by what a random
/// relative error in the result of every operation changes.
std::vector<double> cancelled_terms(const Varied& f, const Tensor& result);

}  // namespace unroll::detail
