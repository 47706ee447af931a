#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tensor/error.hpp>
#include <nn/cells/recurrent_highway.hpp>
#include <nn/init.hpp>

#include <cmath>
#include <string>

namespace unroll::nn {
namespace {

constexpr auto highway = [](auto c, auto t, auto s) { return s + sigmoid(t) * (tanh(c) - s); };

}  // namespace

RecurrentHighway::RecurrentHighway(Index inputs, Index hidden,
                                   const RecurrentHighwayOptions& options)
    : Cell(inputs, {hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({2 * hidden, inputs}, hidden))) {
  if (options.depth < 1)
    throw ArgumentError("RecurrentHighway: depth must be at least 1, it is " +
                        std::to_string(options.depth) + "; it is the number of layers of a step");
  if (!std::isfinite(options.transform_bias))
    throw ArgumentError("RecurrentHighway: transform_bias must be finite, it is " +
                        std::to_string(options.transform_bias));
  for (Index layer = 1; layer <= options.depth; ++layer) {
    const std::string number = std::to_string(layer);
    weights_hh_.push_back(
        parameter("weight_hh_" + number, init::pytorch_default({2 * hidden, hidden}, hidden)));
    biases_.push_back(parameter("bias_" + number, concat({init::pytorch_default({hidden}, hidden),
                                                          full({hidden}, options.transform_bias)})
                                                      .value()));
  }
}

Variable RecurrentHighway::project(const Variable& x) const {
  return linear(x, weight_ih_, biases_[0]);
}

Step RecurrentHighway::step(const Variable& x, const State& state) const {
  Variable s = state[0];
  for (std::size_t layer = 0; layer < weights_hh_.size(); ++layer) {
    // The first bias is in x.
    const Variable added = layer == 0 ? x : Variable(biases_[layer]);
    const auto [c, t] = split<2>(linear(s, weights_hh_[layer], added));
    s = pointwise("recurrent_highway", highway, c, t, s);
  }
  return {s};
}

}  // namespace unroll::nn
