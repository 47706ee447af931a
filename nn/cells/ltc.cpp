#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/ltc.hpp>
#include <nn/init.hpp>
#include <nn/recurrent/cell_options.hpp>
#include <nn/recurrent/elapsed_time.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

LTCOptions checked(const LTCOptions& options) {
  if (options.unfold < 1)
    throw ArgumentError("LTC: unfold must be at least 1, it is " + std::to_string(options.unfold));
  checked_positive("LTC", "dt", options.dt);
  return options;
}

}  // namespace

LTC::LTC(Index inputs, Index hidden, const LTCOptions& options)
    : Cell(inputs, {hidden}),
      options_(checked(options)),
      weight_ih_(
          parameter("weight_ih",
                    init::pytorch_default(
                        {hidden, columns_beside_time("LTC", inputs, options.irregular)}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({hidden}, hidden))),
      rate_(parameter("rate", full({hidden}, std::log(std::expm1(1.0))))),  // softplus of it is 1
      reversal_(parameter("reversal", uniform({hidden}, -1.0, 1.0))) {}

Variable LTC::project(const Variable& x) const {
  if (!options_.irregular) return linear(x, weight_ih_, bias_);
  const auto [values, elapsed] = split_elapsed("LTC", x);
  return concat({linear(values, weight_ih_, bias_), elapsed});
}

Step LTC::step(const Variable& x, const State& state) const {
  const Index hidden = state_sizes()[0];
  const Variable drive = options_.irregular ? slice(x, -1, 0, hidden) : x;
  const Variable elapsed = options_.irregular ? slice(x, -1, hidden, hidden + 1)
                                              : Variable(full({1}, options_.dt, x.dtype()));
  const Variable leak = softplus(rate_);
  const auto solve = [share = 1.0 / static_cast<double>(options_.unfold)](auto a, auto h, auto rate,
                                                                          auto reversal, auto dt) {
    const auto s = share * dt;
    const auto f = sigmoid(a);
    return (h + s * f * reversal) / (1.0 + s * (rate + f));
  };
  Variable h = state[0];
  for (Index k = 0; k < options_.unfold; ++k)
    h = pointwise("ltc", solve, linear(h, weight_hh_, drive), h, leak, reversal_, elapsed);
  return {h};
}

}  // namespace unroll::nn
