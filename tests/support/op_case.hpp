#pragma once

#include <autograd/verify/gradcheck.hpp>

#include <span>
#include <string>
#include <vector>

namespace unroll::testing {

/// One way to call one op, with float64 inputs at which it is smooth.
struct OpCase {
  std::string op;    ///< the name under which autograd/ops declares it
  std::string what;  ///< what this case adds to the others
  DifferentiableFunction f;
  std::vector<Tensor> inputs;
};

using Inputs = std::span<const Variable>;

}  // namespace unroll::testing
