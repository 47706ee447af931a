#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/cfn.hpp>
#include <nn/init.hpp>

#include <array>

namespace unroll::nn {
namespace {

constexpr auto next_hidden = [](auto theta, auto eta, auto x, auto h) {
  return sigmoid(theta) * tanh(h) + sigmoid(eta) * tanh(x);
};

}  // namespace

CFN::CFN(Index inputs, Index hidden)
    : Cell(inputs, {hidden}),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({2 * hidden, hidden}, hidden))),
      bias_(parameter("bias", concat({ones({hidden}), full({hidden}, -1.0)}).value())) {}

Variable CFN::project(const Variable& x) const {
  const Variable no_bias = zeros({outputs()}, bias_.dtype());
  return linear(x, weight_ih_, concat({bias_, no_bias}));
}

Step CFN::step(const Variable& x, const State& state) const {
  const std::array<Index, 2> sizes{2 * outputs(), outputs()};
  const std::vector<Variable> parts = split(x, sizes);
  const auto [theta, eta] = split<2>(linear(state[0], weight_hh_, parts[0]));
  return {pointwise("cfn", next_hidden, theta, eta, parts[1], state[0])};
}

}  // namespace unroll::nn
