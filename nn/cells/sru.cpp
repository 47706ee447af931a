#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/cells/sru.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

double highway_scale(const SRUOptions& options) {
  if (!std::isfinite(options.highway_bias))
    throw ArgumentError("SRU: highway_bias must be finite, it is " +
                        std::to_string(options.highway_bias));
  return options.scaled_highway ? std::sqrt(1.0 + 2.0 * std::exp(options.highway_bias)) : 1.0;
}

Tensor unit_variance(Index inputs, Index hidden) {
  const double bound = std::sqrt(3.0 / static_cast<double>(inputs));
  return uniform({(inputs == hidden ? 3 : 4) * hidden, inputs}, -bound, bound);
}

}  // namespace

SRU::SRU(Index inputs, Index hidden, const SRUOptions& options)
    : LinearCell(inputs, hidden),
      alpha_(highway_scale(options)),
      weight_(parameter("weight", unit_variance(inputs, hidden))),
      bias_(parameter("bias",
                      concat({zeros({hidden}), full({hidden}, options.highway_bias)}).value())) {}

LinearCell::Coefficients SRU::coefficients(const Variable& x) const {
  const Index hidden = outputs();
  const auto [candidate, forget] = split<2>(linear(x, slice(weight_, 0, 0, 2 * hidden)));
  const auto [decay, input] = pointwise(
      "sru",
      [](auto wx, auto wf, auto bf) {
        const auto f = sigmoid(wf + bf);
        return std::pair{f, (1.0 - f) * wx};
      },
      candidate, forget, slice(bias_, 0, 0, hidden));
  return {decay, input};
}

Variable SRU::readout(const Variable& h, const Variable& x) const {
  const Index hidden = outputs();
  const auto highway = [&](const Variable& reset, const Variable& skipped) {
    return pointwise(
        "sru_highway",
        [alpha = alpha_](auto c, auto wr, auto br, auto s) {
          const auto r = sigmoid(wr + br);
          return r * c + (1.0 - r) * alpha * s;
        },
        h, reset, slice(bias_, 0, hidden, 2 * hidden), skipped);
  };
  const Variable rest = linear(x, slice(weight_, 0, 2 * hidden, Variable(weight_).size(0)));
  if (rest.size(-1) == hidden) return highway(rest, x);
  const auto [reset, skipped] = split<2>(rest);
  return highway(reset, skipped);
}

}  // namespace unroll::nn
