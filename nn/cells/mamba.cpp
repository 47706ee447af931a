#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/cells/mamba.hpp>

#include <array>
#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

Index checked_rank(Index channels, const SelectiveSSMOptions& options) {
  if (options.rank < 0)
    throw ArgumentError(
        "SelectiveSSM: rank must be at least 1, or 0 for ceil(channels / 16), it "
        "is " +
        std::to_string(options.rank));
  if (!(options.min_delta > 0.0 && options.min_delta <= options.max_delta) ||
      std::isinf(options.max_delta))
    throw ArgumentError(
        "SelectiveSSM: min_delta and max_delta must keep 0 < min_delta <= max_delta, got " +
        std::to_string(options.min_delta) + " and " + std::to_string(options.max_delta));
  return options.rank > 0 ? options.rank : (channels + 15) / 16;
}

/// The numbers whose softplus is log-uniform over min_delta .. max_delta.
Tensor delta_bias(Index channels, const SelectiveSSMOptions& options) {
  const Tensor delta = exp(uniform({channels}, std::log(options.min_delta),
                                   std::log(options.max_delta), Dtype::float64))
                           .value();
  return log(expm1(delta)).value().to(Dtype::float32);
}

}  // namespace

SelectiveSSM::SelectiveSSM(Index channels, const SelectiveSSMOptions& options)
    : LinearCell(channels, {channels, options.state}),
      modes_(options.state),
      rank_(checked_rank(channels, options)),
      x_proj_(add("x_proj", Linear(channels, rank_ + 2 * modes_, {.bias = false}))),
      dt_proj_(add("dt_proj", Linear(rank_, channels))),
      a_log_(parameter("A_log",
                       broadcast_to(log(arange(modes_, Dtype::float32) + 1.0), {channels, modes_})
                           .value()
                           .clone())),
      d_(parameter("D", ones({channels}))) {
  Parameter(*dt_proj_.bias()).set(delta_bias(channels, options));
}

LinearCell::Coefficients SelectiveSSM::coefficients(const Variable& x) const {
  const auto projected =
      split(linear(x, slice(x_proj_.weight(), 0, 0, rank_ + modes_)), std::array{rank_, modes_});
  const Variable& b = projected[1];
  const auto [delta, scaled] = pointwise(
      "selective_ssm_delta",
      [](auto wx, auto v) {
        const auto d = softplus(wx);
        return std::pair{d, d * v};
      },
      dt_proj_(projected[0]), x);
  const auto [decay, input] = pointwise(
      "selective_ssm",
      [](auto d, auto rate, auto dx, auto bn) {
        return std::pair{exp(-d * rate), dx * bn};
      },
      unsqueeze(delta, 3), exp(Variable(a_log_)), unsqueeze(scaled, 3), unsqueeze(b, 2));
  return {decay, input};
}

Variable SelectiveSSM::readout(const Variable& h, const Variable& x) const {
  const Variable c = linear(x, slice(x_proj_.weight(), 0, rank_ + modes_, rank_ + 2 * modes_));
  return squeeze(matmul(h, unsqueeze(c, 3)), 3) + x * d_;
}

}  // namespace unroll::nn
