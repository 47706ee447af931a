#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/normalization.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/layer_norm_lstm.hpp>
#include <nn/init.hpp>

#include <string>

namespace unroll::nn {
namespace {

constexpr auto next_cell = [](auto xi, auto xf, auto xg, auto hi, auto hf, auto hg, auto c) {
  return sigmoid(xf + hf) * c + sigmoid(xi + hi) * tanh(xg + hg);
};
constexpr auto next_hidden = [](auto xo, auto ho, auto c) { return sigmoid(xo + ho) * tanh(c); };

}  // namespace

LayerNormLSTM::LayerNormLSTM(Index inputs, Index hidden, const LayerNormLSTMOptions& options)
    : Cell(inputs, {hidden, hidden}),
      epsilon_(options.epsilon),
      weight_ih_(parameter("weight_ih", init::pytorch_default({4 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({4 * hidden, hidden}, hidden))),
      scale_ih_(parameter("scale_ih", ones({4 * hidden}))),
      scale_hh_(parameter("scale_hh", ones({4 * hidden}))),
      bias_(parameter("bias", zeros({4 * hidden}))),
      scale_c_(parameter("scale_c", ones({hidden}))),
      bias_c_(parameter("bias_c", zeros({hidden}))) {
  // The first state is zeros, of which the variance is 0.
  if (!(epsilon_ > 0.0))
    throw ArgumentError("LayerNormLSTM: epsilon must be positive, it is " +
                        std::to_string(epsilon_));
}

Variable LayerNormLSTM::project(const Variable& x) const {
  return layer_norm(linear(x, weight_ih_), scale_ih_, bias_, epsilon_);
}

Step LayerNormLSTM::step(const Variable& x, const State& state) const {
  auto [xi, xf, xg, xo] = split<4>(x);
  auto [hi, hf, hg, ho] =
      split<4>(layer_norm(linear(state[0], weight_hh_), scale_hh_, {}, epsilon_));
  Variable c = pointwise("layer_norm_lstm", next_cell, xi, xf, xg, hi, hf, hg, state[1]);
  Variable h =
      pointwise("layer_norm_lstm", next_hidden, xo, ho, layer_norm(c, scale_c_, bias_c_, epsilon_));
  return {h, c};
}

}  // namespace unroll::nn
