#pragma once

#include "step.hpp"

#include <memory>

namespace benchmarks {

/// Operations of a chain of scalars y <- y a + b, from y = a.
inline constexpr int kScalarOperations = 2000;

/// The chain and its gradients by a and b: what a tape costs when the numbers cost nothing.
std::unique_ptr<Step> scalars_on_tape();
/// The same by hand: two loops over floats.
std::unique_ptr<Step> scalars_by_hand();

}  // namespace benchmarks
