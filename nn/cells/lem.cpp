#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/lem.hpp>
#include <nn/init.hpp>
#include <nn/recurrent/cell_options.hpp>

namespace unroll::nn {

LEM::LEM(Index inputs, Index hidden, const LEMOptions& options)
    : Cell(inputs, {hidden, hidden}),
      dt_(checked_positive("LEM", "dt", options.dt)),
      weight_ih_(parameter("weight_ih", init::pytorch_default({4 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({3 * hidden, hidden}, hidden))),
      weight_zh_(parameter("weight_zh", init::pytorch_default({hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({4 * hidden}, hidden))) {}

Variable LEM::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step LEM::step(const Variable& x, const State& state) const {
  const auto relax = [dt = dt_](auto step, auto target, auto old) {
    return old + dt * sigmoid(step) * (tanh(target) - old);
  };
  const Index hidden = state_sizes()[0];
  const Variable gates = linear(state[0], weight_hh_, slice(x, -1, 0, 3 * hidden));
  auto [step_z, step_y, target_z] = split<3>(gates);
  const Variable z = pointwise("lem", relax, step_z, target_z, state[1]);
  const Variable target_y = linear(z, weight_zh_, slice(x, -1, 3 * hidden, 4 * hidden));
  const Variable y = pointwise("lem", relax, step_y, target_y, state[0]);
  return {y, z};
}

}  // namespace unroll::nn
