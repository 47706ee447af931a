#include <autograd/ops/layout.hpp>
#include <autograd/ops/matmul.hpp>
#include <autograd/pointwise/pointwise.hpp>
#include <nn/cells/peephole_lstm.hpp>
#include <nn/init.hpp>

#include <utility>

namespace unroll::nn {
namespace {

constexpr auto next_cell = [](auto i, auto f, auto g, auto c, auto ci, auto cf) {
  return sigmoid(f + cf * c) * c + sigmoid(i + ci * c) * tanh(g);
};
constexpr auto squashed_gates = [](auto i, auto f, auto g, auto o, auto c, auto ci, auto cf,
                                   auto co) {
  auto next = next_cell(i, f, g, c, ci, cf);
  return std::pair{sigmoid(o + co * next) * tanh(next), next};
};
constexpr auto linear_gates = [](auto i, auto f, auto g, auto o, auto c, auto ci, auto cf,
                                 auto co) {
  auto next = next_cell(i, f, g, c, ci, cf);
  return std::pair{sigmoid(o + co * next) * next, next};
};

}  // namespace

PeepholeLSTM::PeepholeLSTM(Index inputs, Index hidden, const PeepholeLSTMOptions& options)
    : Cell(inputs, {hidden, hidden}),
      squash_output_(options.squash_output),
      weight_ih_(parameter("weight_ih", init::pytorch_default({4 * hidden, inputs}, hidden))),
      weight_hh_(parameter("weight_hh", init::pytorch_default({4 * hidden, hidden}, hidden))),
      bias_(parameter("bias", init::pytorch_default({4 * hidden}, hidden))),
      weight_ci_(parameter("weight_ci", init::pytorch_default({hidden}, hidden))),
      weight_cf_(parameter("weight_cf", init::pytorch_default({hidden}, hidden))),
      weight_co_(parameter("weight_co", init::pytorch_default({hidden}, hidden))) {}

Variable PeepholeLSTM::project(const Variable& x) const { return linear(x, weight_ih_, bias_); }

Step PeepholeLSTM::step(const Variable& x, const State& state) const {
  const auto gates = split<4>(linear(state[0], weight_hh_, x));
  const auto apply = [&](const auto& equations) {
    const auto& [i, f, g, o] = gates;
    return pointwise("peephole_lstm", equations, i, f, g, o, state[1], weight_ci_, weight_cf_,
                     weight_co_);
  };
  auto [h, c] = squash_output_ ? apply(squashed_gates) : apply(linear_gates);
  return {h, c};
}

}  // namespace unroll::nn
