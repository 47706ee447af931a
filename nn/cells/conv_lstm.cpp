#include <autograd/ops/convolution.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/conv_lstm.hpp>
#include <nn/init.hpp>

#include <string>
#include <utility>

namespace unroll::nn {
namespace {

constexpr auto gates = [](auto xi, auto xf, auto xg, auto xo, auto hi, auto hf, auto hg, auto ho,
                          auto c) {
  const auto next = sigmoid(xf + hf) * c + sigmoid(xi + hi) * tanh(xg + hg);
  return std::pair{sigmoid(xo + ho) * tanh(next), next};
};

/// The number of inputs of the cell.
Index checked_inputs(Index input_channels, Index channels, Index length) {
  if (input_channels < 1 || channels < 1 || length < 1)
    throw ArgumentError("ConvLSTM: input_channels, channels and length must be at least 1, got " +
                        std::to_string(input_channels) + ", " + std::to_string(channels) + " and " +
                        std::to_string(length));
  return input_channels * length;
}

Index checked_padding(Index kernel) {
  if (kernel < 1 || kernel % 2 == 0)
    throw ArgumentError("ConvLSTM: the kernel must be an odd number, for as many positions on " +
                        std::string("either side; it is ") + std::to_string(kernel));
  return kernel / 2;
}

}  // namespace

ConvLSTM::ConvLSTM(Index input_channels, Index channels, Index length,
                   const ConvLSTMOptions& options)
    : Cell(checked_inputs(input_channels, channels, length),
           {StateShape{channels, length}, StateShape{channels, length}}),
      length_(length),
      padding_(checked_padding(options.kernel)),
      weight_ih_(parameter("weight_ih",
                           init::pytorch_default({4 * channels, input_channels, options.kernel},
                                                 channels * options.kernel))),
      weight_hh_(
          parameter("weight_hh", init::pytorch_default({4 * channels, channels, options.kernel},
                                                       channels * options.kernel))),
      bias_(parameter("bias", init::pytorch_default({4 * channels}, channels * options.kernel))) {}

Variable ConvLSTM::project(const Variable& x) const {
  const Index steps = x.size(0), batch = x.size(1);
  const Variable frames = reshape(x, {steps * batch, weight_ih_.shape()[1], length_});
  const Variable projected = conv1d(frames, weight_ih_, bias_, {.padding = padding_});
  return reshape(projected, {steps, batch, -1});
}

Step ConvLSTM::step(const Variable& x, const State& state) const {
  const Variable input = reshape(x, {x.size(0), -1, length_});
  auto [xi, xf, xg, xo] = split<4>(input, 1);
  auto [hi, hf, hg, ho] = split<4>(conv1d(state[0], weight_hh_, {}, {.padding = padding_}), 1);
  auto [h, c] = pointwise("conv_lstm", gates, xi, xf, xg, xo, hi, hf, hg, ho, state[1]);
  return {h, c};
}

Variable ConvLSTM::output(const State& state) const {
  return reshape(state[0], {state[0].size(0), -1});
}

}  // namespace unroll::nn
