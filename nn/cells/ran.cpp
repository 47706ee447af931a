#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/ran.hpp>
#include <nn/init.hpp>

#include <array>

namespace unroll::nn {
namespace {

constexpr auto next_cell = [](auto i, auto f, auto content, auto c) {
  return sigmoid(i) * content + sigmoid(f) * c;
};

}  // namespace

RAN::RAN(Index inputs, Index hidden, const RANOptions& options)
    : Cell(inputs, {hidden, hidden}),
      activation_(options.activation),
      weight_ih_(parameter("weight_ih", init::pytorch_default({3 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({2 * hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({2 * hidden}, hidden))) {}

Variable RAN::project(const Variable& x) const {
  const Variable no_bias = zeros({outputs()}, bias_.dtype());
  return linear(x, weight_ih_, concat({bias_, no_bias}));
}

Step RAN::step(const Variable& x, const State& state) const {
  const std::array<Index, 2> sizes{2 * outputs(), outputs()};
  const std::vector<Variable> parts = split(x, sizes);
  const auto [i, f] = split<2>(linear(state[0], weight_hh_, parts[0]));
  const Variable c = pointwise("ran", next_cell, i, f, parts[1], state[1]);
  return {activation_(c), c};
}

}  // namespace unroll::nn
