#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/projected_lstm.hpp>
#include <nn/init.hpp>

#include <string>
#include <utility>

namespace unroll::nn {
namespace {

constexpr auto gates = [](auto i, auto f, auto g, auto o, auto c) {
  auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::pair{sigmoid(o) * tanh(next), next};
};

}  // namespace

ProjectedLSTM::ProjectedLSTM(Index inputs, Index hidden, Index projections)
    : Cell(inputs, {projections, hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({4 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({4 * hidden, projections}, hidden))),
      bias_ih_(parameter("bias_ih", init::pytorch_default({4 * hidden}, hidden))),
      bias_hh_(parameter("bias_hh", init::pytorch_default({4 * hidden}, hidden))),
      weight_hr_(parameter("weight_hr", init::pytorch_default({projections, hidden}, hidden))) {
  if (projections > hidden)
    throw ArgumentError("ProjectedLSTM: projections must be at most hidden, got " +
                        std::to_string(projections) + " projections of " + std::to_string(hidden) +
                        " cells; use LSTM for an output of that size");
}

Variable ProjectedLSTM::project(const Variable& x) const {
  return linear(x, weight_ih_, Variable(bias_ih_) + Variable(bias_hh_));
}

Step ProjectedLSTM::step(const Variable& x, const State& state) const {
  auto [i, f, g, o] = split<4>(linear(state[0], weight_hh_, x));
  auto [m, c] = pointwise("projected_lstm", gates, i, f, g, o, state[1]);
  return {linear(m, weight_hr_), c};
}

}  // namespace unroll::nn
