// Simple backpropagation (Elman, 1990), 000_1637ef2ec2d0b1c0.txt, "Simple Backpropagation (Elman)":
// the context is an input like any other, so nothing flows back through it. With
// a = W_in x + W_rec c, h = f_hid(a), b = W_out h, y = f_out(b) and E = 1/2 |d - y|^2:
//
//   g_out = -dE/db = f_out'(b) (.) (d - y)               as dE/dy = -(d - y)
//   g_hid = -dE/da = f_hid'(a) (.) W_out^T g_out         as db_k/dh_j = W_out[k,j], over all k
//
//   dW_in = g_hid x^T        dW_rec = g_hid c^T        dW_out = g_out h^T
//
// So the sign: the dW go downhill, each is minus the gradient. And the transpose, which the slide
// leaves out: W_out g_out does not even exist unless there are as many outputs as hidden units.
// On the tape the rule is what detach(context) gives; in the library it is
// nn::SimpleBackpropagation.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;
constexpr Index kOutputs = 2;
constexpr Index kSteps = 4;

struct Network {
  Matrix w_in = sample(kHidden, kInputs, 1);
  Matrix w_rec = sample(kHidden, kHidden, 2);
  Matrix w_out = sample(kOutputs, kHidden, 3);
};

/// The steps dW of one time step, and the hidden state that becomes the next context.
struct Updates {
  Matrix w_in, w_rec, w_out, h;
};

// f_hid = tanh, f_out = sigmoid.
Updates simple_backpropagation(const Network& net, const Matrix& x, const Matrix& c,
                               const Matrix& d) {
  const Matrix h =
      map([](double a) { return std::tanh(a); }, product(net.w_in, x) + product(net.w_rec, c));
  const Matrix y = map(plain::sigmoid, product(net.w_out, h));
  const Matrix g_out = hadamard(map([](double p) { return p * (1.0 - p); }, y), d - y);
  const Matrix g_hid =
      hadamard(map([](double p) { return 1.0 - p * p; }, h), product(transposed(net.w_out), g_out));
  return {outer(g_hid, x), outer(g_hid, c), outer(g_out, h), h};
}

/// The network of the slide as a library user writes it.
struct Model {
  nn::Elman hidden{kInputs, kHidden};
  nn::Linear readout{kHidden, kOutputs, {.bias = false}};
  Parameter w_in, w_rec, w_out;

  explicit Model(const Network& net)
      : w_in(set(hidden, "weight_ih", net.w_in)),
        w_rec(set(hidden, "weight_hh", net.w_rec)),
        w_out(set(readout, "weight", net.w_out)) {
    set(hidden, "bias_ih", Matrix(kHidden, 1));
    set(hidden, "bias_hh", Matrix(kHidden, 1));
  }

  nn::State step(const Matrix& x, const nn::State& context) const {
    return hidden.step(hidden.project(Variable(tensor(transposed(x)))), context).state;
  }
  Variable error(const nn::State& h, const Matrix& d) const {
    return 0.5 * sum(square(Variable(tensor(transposed(d))) - sigmoid(readout(h[0]))));
  }
};

}  // namespace

TEST_CASE("at each step, minus the gradient with a detached context is Elman's update") {
  const Network net;
  const Model model(net);
  const std::vector<Matrix> x = samples(kSteps, kInputs, 1, 5);
  const std::vector<Matrix> d = samples(kSteps, kOutputs, 1, 6);

  Matrix c = sample(kHidden, 1, 7);
  nn::State context{tensor(transposed(c))};
  for (std::size_t t = 0; t < x.size(); ++t) {
    const Updates by_hand = simple_backpropagation(net, x[t], c, d[t]);
    Tape tape;
    const nn::State h = model.step(x[t], context);
    const Gradients slopes = tape.gradients(model.error(h, d[t]));
    check_close(slopes[model.w_in].value(), -by_hand.w_in, "W_in");
    check_close(slopes[model.w_rec].value(), -by_hand.w_rec, "W_rec");
    check_close(slopes[model.w_out].value(), -by_hand.w_out, "W_out");
    c = by_hand.h;
    context = nn::detach(h);
  }
}

TEST_CASE("on one tape, detached contexts add up Elman's updates, and attached ones do not") {
  const Network net;
  const Model model(net);
  const std::vector<Matrix> x = samples(kSteps, kInputs, 1, 8);
  const std::vector<Matrix> d = samples(kSteps, kOutputs, 1, 9);

  Updates total{Matrix(kHidden, kInputs), Matrix(kHidden, kHidden), Matrix(kOutputs, kHidden),
                sample(kHidden, 1, 10)};
  const Matrix c0 = total.h;
  for (std::size_t t = 0; t < x.size(); ++t) {
    const Updates one = simple_backpropagation(net, x[t], total.h, d[t]);
    total = {total.w_in + one.w_in, total.w_rec + one.w_rec, total.w_out + one.w_out, one.h};
  }

  const auto gradients = [&](bool cut) {
    Tape tape;
    nn::State h{tensor(transposed(c0))};
    Variable error;
    for (std::size_t t = 0; t < x.size(); ++t) {
      h = model.step(x[t], cut ? nn::detach(h) : h);
      error = t == 0 ? model.error(h, d[t]) : error + model.error(h, d[t]);
    }
    return tape.gradients(error);
  };
  const Gradients truncated = gradients(true);
  check_close(truncated[model.w_in].value(), -total.w_in, "W_in");
  check_close(truncated[model.w_rec].value(), -total.w_rec, "W_rec");
  check_close(truncated[model.w_out].value(), -total.w_out, "W_out");

  const Gradients full = gradients(false);
  check_differs(full[model.w_in].value(), -total.w_in, "W_in");
  check_differs(full[model.w_rec].value(), -total.w_rec, "W_rec");
  check_close(full[model.w_out].value(), -total.w_out, "W_out is not behind any context");
}

TEST_CASE("the library's rule gives Elman's updates, step by step") {
  const Network net;
  nn::Recurrent network(nn::Elman(kInputs, kHidden));
  nn::Linear readout(kHidden, kOutputs, {.bias = false});
  const Parameter w_in = set(network, "weight_ih_l0", net.w_in);
  const Parameter w_rec = set(network, "weight_hh_l0", net.w_rec);
  const Parameter w_out = set(readout, "weight", net.w_out);
  set(network, "bias_ih_l0", Matrix(kHidden, 1));
  set(network, "bias_hh_l0", Matrix(kHidden, 1));
  nn::SimpleBackpropagation rule(network, [&](const Variable& h, const Tensor& d) {
    return 0.5 * sum(square(Variable(d) - unroll::sigmoid(readout(h))));
  });

  const std::vector<Matrix> x = samples(kSteps, kInputs, 1, 11);
  const std::vector<Matrix> d = samples(kSteps, kOutputs, 1, 12);
  Matrix c = sample(kHidden, 1, 13);
  rule.start({tensor(transposed(c))});
  for (std::size_t t = 0; t < x.size(); ++t) {
    const Updates by_hand = simple_backpropagation(net, x[t], c, d[t]);
    const auto update = rule.step(tensor(transposed(x[t])), tensor(transposed(d[t])));
    REQUIRE(update.has_value());
    check_close(update->gradients[w_in].value(), -by_hand.w_in, "W_in");
    check_close(update->gradients[w_rec].value(), -by_hand.w_rec, "W_rec");
    check_close(update->gradients[w_out].value(), -by_hand.w_out, "W_out");
    c = by_hand.h;
    check_close(rule.state()[0].value(), transposed(c), "h");
  }
}
