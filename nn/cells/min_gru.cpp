#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/min_gru.hpp>

namespace unroll::nn {

MinGRU::MinGRU(Index inputs, Index hidden)
    : LinearCell(inputs, hidden),
      gate_(add("gate", Linear(inputs, hidden))),
      candidate_(add("candidate", Linear(inputs, hidden))) {}

LinearCell::Coefficients MinGRU::coefficients(const Variable& x) const {
  const auto [decay, input] = pointwise(
      "min_gru",
      [](auto gate, auto candidate) {
        const auto z = sigmoid(gate);
        return std::pair{1.0 - z, z * candidate};
      },
      gate_(x), candidate_(x));
  return {decay, input};
}

}  // namespace unroll::nn
