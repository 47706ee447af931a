#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

int main() {
  unroll::Tape tape;
  auto x = tape.watch(unroll::full({2}, 3.0));
  auto loss = unroll::sum(x * x);
  auto g = tape.gradients(loss);
  return g[x].value().at({0}) == 6.0 ? 0 : 1;
}
