#pragma once

#include <autograd/derivatives/derivatives.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace unroll {

/// A function of some tensors with several results.
using SeveralResults = std::function<std::vector<Variable>(std::span<const Variable>)>;

/// f(inputs), of which the tape keeps the inputs and the results alone. The backward pass runs f
/// again to get what its operations saved, and gives that back at once: a sequence in n parts needs
/// the memory of one, for one more forward pass (Chen et al., Training deep nets with sublinear
/// memory cost, 2016). Results and gradients are those of f(inputs), bit for bit, of any order.
///
/// f reads recorded variables through `inputs` alone; parameters as it likes. The second run draws
/// from default_generator() what the first one drew; a generator of f's own must be rewound by f.
/// Throws TapeError for a recorded variable that f reads by another way, for a second run whose
/// results have other shapes, for parameters that were changed in between, and for checkpoints
/// nested so deeply that the stack ends; and what f throws.
///
///     h = checkpoint([&](std::span<const Variable> x) { return layer(x[0]); }, {h});
std::vector<Variable> checkpoint(const SeveralResults& f, const std::vector<Variable>& inputs);

/// The same for a function with one result.
template <class F>
requires std::is_invocable_r_v<Variable, const F&, std::span<const Variable>> Variable
checkpoint(F f, const std::vector<Variable>& inputs) {
  return checkpoint(SeveralResults([f = std::move(f)](std::span<const Variable> x) {
                      return std::vector<Variable>{f(x)};
                    }),
                    inputs)[0];
}

}  // namespace unroll
