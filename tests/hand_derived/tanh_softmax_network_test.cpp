// The network of 002_f7218ae54f6eb7a7.txt, "Recurrent neural network":
//
//   a(t) = b + W h(t-1) + U x(t)    h(t) = tanh(a(t))    o(t) = c + V h(t)    y(t) = softmax(o(t))
//
// built from the library's parts: nn::Recurrent(nn::Elman) is the first pair of equations,
// nn::Linear and softmax the second. The hand-written forward and backward are those of
// model_1.hpp, with f = tanh and f'(a) = 1 - h^2.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/model_1.hpp"

using namespace unroll;
using namespace plain;

namespace {

/// The slide's network with the weights of a Model1. nn::Elman has two biases, which only ever
/// occur as their sum b.
struct Network {
  nn::Recurrent hidden{nn::Elman(Model1::kInputs, Model1::kHidden)};
  nn::Linear readout{Model1::kHidden, Model1::kOutputs};
  Parameter u, w, b, other_b, v, c;

  explicit Network(const Model1& hand)
      : u(set(hidden, "weight_ih_l0", hand.u)),
        w(set(hidden, "weight_hh_l0", hand.w)),
        b(set(hidden, "bias_ih_l0", 0.25 * hand.b)),
        other_b(set(hidden, "bias_hh_l0", 0.75 * hand.b)),
        v(set(readout, "weight", hand.v)),
        c(set(readout, "bias", hand.c)) {}
};

Model1 by_hand() {
  return {[](double a) { return std::tanh(a); }, [](double h) { return 1.0 - h * h; }};
}

}  // namespace

TEST_CASE("Elman, Linear and softmax compute h(t), o(t) and y(t) of the slide") {
  const Model1 hand = by_hand();
  const Network network(hand);
  const auto [h, state] = network.hidden(sequence(hand.x, true), {tensor(transposed(hand.h0))});
  const Variable o = network.readout(h);
  const Variable y = softmax(o);
  for (std::size_t t = 0; t < hand.x.size(); ++t) {
    CAPTURE(t);
    const Index at = static_cast<Index>(t);
    check_close(h.value().select(0, at), hand.h[t], "h(t)");
    check_close(o.value().select(0, at), hand.o[t], "o(t)");
    check_close(y.value().select(0, at), hand.y[t], "y(t)");
  }
}

TEST_CASE("the cross-entropy of the network has the gradients derived by hand") {
  const Model1 hand = by_hand();
  const Network network(hand);
  const Tensor targets = Tensor::of({Model1::kSteps, 1}, hand.targets);

  Tape tape;
  const Variable x = tape.watch(sequence(hand.x, true));
  const Variable h0 = tape.watch(tensor(transposed(hand.h0)));
  const auto [h, state] = network.hidden(x, {h0});
  // cross_entropy is the mean over the steps, the slide's loss is their sum.
  const Variable loss = cross_entropy(network.readout(h), targets) * double(Model1::kSteps);
  CHECK(loss.item() == doctest::Approx(hand.loss).epsilon(1e-13));

  const Gradients gradients = tape.gradients(loss);
  check_close(gradients[network.u].value(), hand.du, "U");
  check_close(gradients[network.w].value(), hand.dw, "W");
  check_close(gradients[network.v].value(), hand.dv, "V");
  check_close(gradients[network.c].value(), hand.dc, "c");
  check_close(gradients[network.b].value(), hand.db, "b, first summand");
  check_close(gradients[network.other_b].value(), hand.db, "b, second summand");
  check_close(gradients[h0].value(), hand.dh0, "h(0)");
  for (std::size_t t = 0; t < hand.x.size(); ++t)
    check_close(gradients[x].value().select(0, static_cast<Index>(t)), hand.dx[t], "x(t)");
}
