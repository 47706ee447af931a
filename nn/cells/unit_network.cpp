#include <autograd/ops/comparison.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/piecewise.hpp>
#include <nn/cells/unit_network.hpp>
#include <nn/init.hpp>

namespace unroll::nn {

UnitNetwork::UnitNetwork(Index inputs, Index units, const UnitNetworkOptions& options)
    : Cell(inputs, {units}),
      activation_(options.activation),
      weight_(parameter("weight", init::uniform_fan({units, inputs + units}, inputs + units))) {}

State UnitNetwork::step(const Variable& x, const State& state) const {
  const Variable xi = concat({x, state[0]});
  return {activation_(linear(xi, weight_))};
}

State UnitNetwork::force(const State& state, const Variable& target) const {
  return {where(is_nan(target), state[0], target)};
}

}  // namespace unroll::nn
