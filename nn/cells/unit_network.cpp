#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
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

}  // namespace unroll::nn
