#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/lstm_1997.hpp>
#include <nn/init.hpp>

#include <utility>

namespace unroll::nn {
namespace {

constexpr auto gates = [](auto i, auto g, auto o, auto c) {
  auto next = c + sigmoid(i) * tanh(g);
  return std::pair{sigmoid(o) * tanh(next), next};
};
// 4 sigmoid(x) - 2 is 2 tanh(x / 2), which keeps its digits around 0.
constexpr auto paper_gates = [](auto i, auto g, auto o, auto c) {
  auto next = c + 2.0 * sigmoid(i) * tanh(0.5 * g);
  return std::pair{sigmoid(o) * tanh(0.5 * next), next};
};

}  // namespace

LSTM1997::LSTM1997(Index inputs, Index hidden, const LSTM1997Options& options)
    : Cell(inputs, {hidden, hidden}),
      paper_squashing_(options.paper_squashing),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({3 * hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({3 * hidden}, hidden))) {}

Variable LSTM1997::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step LSTM1997::step(const Variable& x, const State& state) const {
  auto [i, g, o] = split<3>(linear(state[0], weight_hh_, x));
  auto [h, c] = paper_squashing_ ? pointwise("lstm_1997", paper_gates, i, g, o, state[1])
                                 : pointwise("lstm_1997", gates, i, g, o, state[1]);
  return {h, c};
}

}  // namespace unroll::nn
