#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/min_lstm.hpp>

#include <utility>

namespace unroll::nn {

MinLSTM::MinLSTM(Index inputs, Index hidden)
    : LinearCell(inputs, hidden),
      forget_gate_(add("forget_gate", Linear(inputs, hidden))),
      input_gate_(add("input_gate", Linear(inputs, hidden))),
      candidate_(add("candidate", Linear(inputs, hidden))) {}

LinearCell::Coefficients MinLSTM::coefficients(const Variable& x) const {
  const auto [decay, input] = pointwise(
      "min_lstm",
      [](auto f, auto i, auto candidate) {
        // f / (f + i) = sigmoid(log f - log i), which is no 0 / 0 where both gates underflow.
        const auto ratio = log_sigmoid(f) - log_sigmoid(i);
        return std::pair{sigmoid(ratio), sigmoid(-ratio) * candidate};
      },
      forget_gate_(x), input_gate_(x), candidate_(x));
  return {decay, input};
}

}  // namespace unroll::nn
