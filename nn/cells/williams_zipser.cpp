#include <autograd/ops/comparison.hpp>
#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/ops/piecewise.hpp>
#include <nn/cells/williams_zipser.hpp>
#include <nn/init.hpp>

namespace unroll::nn {

WilliamsZipser::WilliamsZipser(Index inputs, Index units, const WilliamsZipserOptions& options)
    : Cell(inputs, {units}),
      activation_(options.activation),
      weight_(parameter("weight", init::pytorch_default({units, inputs + units}, inputs + units))) {
}

Step WilliamsZipser::step(const Variable& x, const State& state) const {
  const Variable xi = concat({x, state[0]});
  return {activation_(linear(xi, weight_))};
}

State WilliamsZipser::force(const State& state, const Variable& target) const {
  return {where(is_nan(target), state[0], target)};
}

}  // namespace unroll::nn
