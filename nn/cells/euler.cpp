#include <autograd/ops/elementwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/euler.hpp>

#include <cmath>
#include <string>
#include <utility>

namespace unroll::nn {

EulerOptions Euler::checked(const EulerOptions& options) {
  if (options.step == 0.0 || !std::isfinite(options.step))
    throw ArgumentError("euler: the step must be finite and not 0, it is " +
                        std::to_string(options.step));
  return options;
}

Derivative Euler::checked(Derivative g) {
  if (!g)
    throw ArgumentError("euler: there is no g; give the right-hand side of ds/dt = g(s, t, x)");
  return g;
}

State Euler::initial_state(Index batch, Dtype dtype) const {
  return {zeros({batch, state_sizes()[0]}, dtype), full({batch, 1}, options_.start, dtype)};
}

Step Euler::step(const Variable& x, const State& state) const {
  const Variable slope = g_(state[0], state[1], x);
  // A slope of another shape would broadcast: silently wrong where [B,1] meets [B,N].
  if (!slope.defined() || slope.shape() != state[0].shape())
    throw ShapeError("euler: g returned " + describe(slope.value()) + ", the slope of s must be " +
                     to_string(state[0].shape()));
  return {state[0] + options_.step * slope, state[1] + options_.step};
}

}  // namespace unroll::nn
