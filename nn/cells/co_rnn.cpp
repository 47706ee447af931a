#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/co_rnn.hpp>
#include <nn/init.hpp>
#include <nn/recurrent/cell_options.hpp>

#include <utility>

namespace unroll::nn {

CoRNN::CoRNN(Index inputs, Index hidden, const CoRNNOptions& options)
    : Cell(inputs, {hidden, hidden}),
      dt_(checked_positive("CoRNN", "dt", options.dt)),
      gamma_(checked_not_negative("CoRNN", "gamma", options.gamma)),
      weight_ih_(parameter("weight_ih", init::pytorch_default({hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({hidden, 2 * hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({hidden}, hidden))) {
  const double damping = dt_ * checked_not_negative("CoRNN", "epsilon", options.epsilon);
  keep_ = options.implicit_damping ? 1.0 / (1.0 + damping) : 1.0 - damping;
  drive_ = options.implicit_damping ? dt_ / (1.0 + damping) : dt_;
}

Variable CoRNN::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step CoRNN::step(const Variable& x, const State& state) const {
  const auto oscillate = [dt = dt_, gamma = gamma_, keep = keep_, drive = drive_](auto a, auto y,
                                                                                  auto z) {
    const auto velocity = keep * z + drive * (tanh(a) - gamma * y);
    return std::pair{y + dt * velocity, velocity};
  };
  const Variable a = linear(concat({state[0], state[1]}), weight_hh_, x);
  const auto [y, z] = pointwise("co_rnn", oscillate, a, state[0], state[1]);
  return {y, z};
}

}  // namespace unroll::nn
