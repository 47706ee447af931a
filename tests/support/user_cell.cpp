// What a user writes: both umbrella headers, a cell of their own, one step of training and a
// gradient check. .ci/checks/compile_time compiles this file against the clock.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

using namespace unroll;

/// Minimal gated unit (Zhou et al., 2016). State {h: [B,H]}.
class MinimalGatedUnit : public nn::Cell {
 public:
  MinimalGatedUnit(Index inputs, Index hidden)
      : Cell(inputs, {hidden}),
        input_(add("input", nn::Linear(inputs, 2 * hidden))),
        forget_(add("forget", nn::Linear(hidden, hidden, {.bias = false}))),
        candidate_(add("candidate", nn::Linear(hidden, hidden, {.bias = false}))) {}

  Variable project(const Variable& x) const override { return input_(x); }

  nn::Step step(const Variable& x, const nn::State& state) const override {
    auto [xf, xc] = split<2>(x);
    Variable f = sigmoid(xf + forget_(state[0]));
    Variable c = tanh(xc + candidate_(f * state[0]));
    return {pointwise([](auto gate, auto h, auto next) { return h + gate * (next - h); }, f,
                      state[0], c)};
  }

 private:
  nn::Linear input_, forget_, candidate_;
};

int main() {
  nn::Recurrent rnn(MinimalGatedUnit(8, 16));
  nn::Adam adam(rnn.parameters());
  {
    Tape tape;
    auto [outputs, state] = rnn(normal({5, 2, 8}, 0.0, 1.0));
    adam.step(tape.gradients(mean(square(outputs))));
  }
  return nn::gradcheck(rnn, normal({3, 2, 8}, 0.0, 1.0, Dtype::float64)) ? 0 : 1;
}
