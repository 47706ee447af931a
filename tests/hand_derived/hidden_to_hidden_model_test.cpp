// Model 1 of 004_f35a51dda55cb382.txt, "1st model", with the seven gradients that it asks for: of
// h, o, c, b, V, W and U. The derivation is in model_1.hpp.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include "hand_derived/model_1.hpp"

using namespace unroll;
using namespace plain;

namespace {

void check_seven_gradients(Variable (*f)(const Variable&), double (*on_doubles)(double),
                           double (*slope)(double)) {
  const Model1 hand(on_doubles, slope);

  Tape tape;
  const Variable u = tape.watch(tensor(hand.u));
  const Variable w = tape.watch(tensor(hand.w));
  const Variable v = tape.watch(tensor(hand.v));
  const Variable b = tape.watch(tensor(hand.b));
  const Variable c = tape.watch(tensor(hand.c));
  std::vector<Variable> h, o;
  Variable loss;
  for (std::size_t t = 0; t < hand.x.size(); ++t) {
    const Variable before = t == 0 ? Variable(tensor(hand.h0)) : h[t - 1];
    h.push_back(f(b + matmul(w, before) + matmul(u, Variable(tensor(hand.x[t])))));
    o.push_back(c + matmul(v, h[t]));
    const Variable log_y = select(log_softmax(o[t], 0), 0, hand.targets[t]);
    loss = t == 0 ? -sum(log_y) : loss - sum(log_y);
  }
  CHECK(loss.item() == doctest::Approx(hand.loss).epsilon(1e-13));

  GradientOptions options;
  options.of = h;
  options.of.insert(options.of.end(), o.begin(), o.end());
  const Gradients gradients = tape.gradients(loss, options);
  for (std::size_t t = 0; t < hand.x.size(); ++t) {
    CAPTURE(t);
    check_close(gradients[h[t]].value(), hand.dh[t], "h(t)");
    check_close(gradients[o[t]].value(), hand.dout[t], "o(t)");
  }
  check_close(gradients[c].value(), hand.dc, "c");
  check_close(gradients[b].value(), hand.db, "b");
  check_close(gradients[v].value(), hand.dv, "V");
  check_close(gradients[w].value(), hand.dw, "W");
  check_close(gradients[u].value(), hand.du, "U");
}

}  // namespace

TEST_CASE("model 1 with tanh has the seven gradients derived by hand") {
  check_seven_gradients(
      tanh, [](double a) { return std::tanh(a); }, [](double h) { return 1.0 - h * h; });
}

TEST_CASE("model 1 with sigma has the seven gradients derived by hand") {
  check_seven_gradients(sigmoid, plain::sigmoid, [](double h) { return h * (1.0 - h); });
}

TEST_CASE("model 1 with ReLU has the seven gradients derived by hand") {
  check_seven_gradients(
      relu, [](double a) { return std::max(0.0, a); },
      [](double h) { return h > 0.0 ? 1.0 : 0.0; });
}
