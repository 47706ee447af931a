#pragma once

#include <autograd/gradcheck.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/reduce.hpp>
#include <autograd/tape.hpp>

#include <span>
#include <vector>

#include "numbers.hpp"

namespace unroll::testing {

/// x -> gradient of a weighted sum of f(x), all inputs' gradients in one row. Checking the gradient
/// of this function checks the second derivatives of f. On the tape that is alive the sweep is
/// recorded; with none alive, as in gradcheck's finite differences, a tape of its own takes a plain
/// sweep. So the two kinds of sweep are compared as well.
inline DifferentiableFunction gradient_function(DifferentiableFunction f) {
  return [f = std::move(f)](std::span<const Variable> inputs) {
    const auto gradients_on = [&](Tape& tape, std::span<const Variable> leaves,
                                  bool differentiable) {
      const Variable y = f(leaves);
      const Variable weights = random(y.shape(), 1871, 0.5, 1.5);
      GradientOptions options;
      options.differentiable = differentiable;
      const Gradients gradients = tape.gradients(sum(y * weights), options);
      std::vector<Variable> parts;
      for (const Variable& leaf : leaves) parts.push_back(reshape(gradients[leaf], {-1}));
      return concat(parts, 0);
    };
    if (Tape* tape = Tape::active()) return gradients_on(*tape, inputs, true);
    Tape tape;
    std::vector<Variable> leaves;
    for (const Variable& input : inputs) leaves.push_back(tape.watch(input.value()));
    return detach(gradients_on(tape, leaves, false));
  };
}

}  // namespace unroll::testing
