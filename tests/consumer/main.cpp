// Uses what only works when the installed package is whole: the vector types of the headers, the
// library, and BLAS.
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

using namespace unroll;

int main() {
  nn::Recurrent rnn(nn::LSTM(4, 8));
  nn::SGD sgd(rnn.parameters(), {.learning_rate = 0.1});
  const Tensor x = normal({6, 2, 4}, 0.0, 1.0);
  double first = 0.0;
  double last = 0.0;
  for (int step = 0; step < 10; ++step) {
    Tape tape;
    auto [outputs, state] = rnn(x);
    Variable distance = pointwise([](auto y) { return square(y - 0.5); }, outputs);
    Variable loss = mean(distance);
    sgd.step(tape.gradients(loss));
    last = loss.item();
    if (step == 0) first = last;
  }
  return last < first ? 0 : 1;
}
