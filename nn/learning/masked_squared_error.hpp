#pragma once

#include <autograd/tape/variable.hpp>

#include <vector>

namespace unroll::nn {

/// The sets Theta(t) as a mask: `theta[t]` holds the units that have a target at step t; result
/// `[T,1,Q]` of ones and zeros. Throws ArgumentError for a unit outside 0..Q-1 and for no steps.
Tensor unit_mask(const std::vector<std::vector<Index>>& theta, Index units);

/// E = sum_t sum_{k in Theta(t)} (y_k(t) - a_k(t))^2 (Williams and Zipser, 1989): a sum, not a
/// mean, and without 1/2. `a: [T,B,Q]`, `targets: [T,B,Q]` and `mask`, which broadcasts to that and
/// is 1 for k in Theta(t) and 0 elsewhere. Outside Theta(t) the targets must be 0 or NaN, and a has
/// the gradient 0. Throws ArgumentError for a target outside Theta(t), for none inside, and for a
/// mask with values other than 0 and 1; ShapeError.
Variable masked_squared_error(const Variable& a, const Tensor& targets, const Tensor& mask);

}  // namespace unroll::nn
