// Networks whose recurrence goes through the output.
//
// 001_7fa6a7ec02051579.txt, "Recurrent Neural Networks" (Jordan network):
//
//   s(t) = W^T x(t) + R^T y(t-1)    a(t) = f(s(t))    y(t) = g(V^T a(t))
//
// 003_75569be6c17a5139.txt, "Earliest Recurrent Network Architectures" (Jordan 1986), whose state
// units u feed themselves with the fixed weight mu; the plan is x:
//
//   u(t) = mu u(t-1) + y(t-1)       s(t) = W^T x(t) + R^T u(t)
//
// The first is the second with mu = 0, so one derivation does. f = tanh, g = sigma, and
// L = sum_t <r(t), y(t)>. y(t) is read by the loss and by u(t+1), u(t) by s(t) and by u(t+1):
//
//   dy(t) = r(t) + du(t+1)                         (at the last t only the first term)
//   do(t) = dy(t) (.) y(t) (.) (1 - y(t))          o(t) = V^T a(t)
//   ds(t) = (1 - a(t)^2) (.) V do(t)
//   du(t) = R ds(t) + mu du(t+1)
//   dW = sum x(t) ds(t)^T    dR = sum u(t) ds(t)^T    dV = sum a(t) do(t)^T
//   dx(t) = W ds(t)          dy(0) = du(1)            du(0) = mu du(1)
//
// With teacher forcing u(t+1) reads the target d(t), a constant: du(t+1) is then missing from
// dy(t), and nothing is left that couples the time steps.
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
constexpr Index kSteps = 5;

struct ByHand {
  double mu;
  Matrix w = sample(kInputs, kHidden, 1);
  Matrix r = sample(kOutputs, kHidden, 2);
  Matrix v = sample(kHidden, kOutputs, 3);
  Matrix b = sample(kHidden, 1, 4);
  Matrix c = sample(kOutputs, 1, 5);
  Matrix y0 = sample(kOutputs, 1, 6);
  Matrix u0 = sample(kOutputs, 1, 7);
  std::vector<Matrix> x = samples(kSteps, kInputs, 1, 8);
  std::vector<Matrix> targets = samples(kSteps, kOutputs, 1, 9);
  std::vector<Matrix> slope_of_y = samples(kSteps, kOutputs, 1, 10);
  std::vector<Matrix> u, a, y, dx{kSteps};
  Matrix dw{kInputs, kHidden}, dr{kOutputs, kHidden}, dv{kHidden, kOutputs}, db{kHidden, 1},
      dc{kOutputs, 1}, dy0, du0;

  ByHand(double decay, bool biases, bool forced) : mu(decay) {
    if (!biases) {
      b = Matrix(kHidden, 1);
      c = Matrix(kOutputs, 1);
    }
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Matrix& y_before = t == 0 ? y0 : forced ? targets[t - 1] : y[t - 1];
      u.push_back(mu * (t == 0 ? u0 : u[t - 1]) + y_before);
      a.push_back(map([](double p) { return std::tanh(p); },
                      product(transposed(w), x[t]) + product(transposed(r), u[t]) + b));
      y.push_back(map(plain::sigmoid, product(transposed(v), a[t]) + c));
    }
    Matrix du_next(kOutputs, 1);
    for (std::size_t t = x.size(); t-- > 0;) {
      const Matrix dy = forced ? slope_of_y[t] : slope_of_y[t] + du_next;
      const Matrix d_o = hadamard(dy, map([](double p) { return p * (1.0 - p); }, y[t]));
      const Matrix ds = hadamard(map([](double p) { return 1.0 - p * p; }, a[t]), product(v, d_o));
      dv = dv + outer(a[t], d_o);
      dc = dc + d_o;
      dw = dw + outer(x[t], ds);
      dr = dr + outer(u[t], ds);
      db = db + ds;
      dx[t] = product(w, ds);
      du_next = product(r, ds) + mu * du_next;
    }
    dy0 = du_next;
    du0 = mu * du_next;
  }
};

void check_network(const ByHand& hand, nn::Recurrent network, const std::string& input,
                   const std::string& feedback, bool biases, bool forced) {
  const Parameter w = set(network, input + ".weight_l0", transposed(hand.w));
  const Parameter r = set(network, feedback + ".weight_l0", transposed(hand.r));
  const Parameter v = set(network, "readout.weight_l0", transposed(hand.v));
  Parameter b = w;
  Parameter c = w;
  if (biases) {
    b = set(network, input + ".bias_l0", hand.b);
    c = set(network, "readout.bias_l0", hand.c);
  }
  Tape tape;
  const Variable x = tape.watch(sequence(hand.x, true));
  nn::State initial{tape.watch(tensor(transposed(hand.y0)))};
  const bool decays = network.cell().state_sizes().size() == 2;
  if (decays) initial.push_back(tape.watch(tensor(transposed(hand.u0))));
  nn::UnrollOptions options;
  if (forced) options.targets = sequence(hand.targets, true);
  const Variable y = network(x, initial, options).outputs;
  for (Index t = 0; t < kSteps; ++t)
    check_close(y.value().select(0, t), hand.y[static_cast<std::size_t>(t)], "y(t)");

  const Gradients gradients = tape.gradients(sum(y * Variable(sequence(hand.slope_of_y, true))));
  check_close(gradients[w].value(), transposed(hand.dw), "W");
  check_close(gradients[r].value(), transposed(hand.dr), "R");
  check_close(gradients[v].value(), transposed(hand.dv), "V");
  check_close(gradients[initial[0]].value(), hand.dy0, "y(0)");
  if (decays) check_close(gradients[initial[1]].value(), hand.du0, "u(0)");
  if (biases) {
    check_close(gradients[b].value(), hand.db, "b");
    check_close(gradients[c].value(), hand.dc, "c");
  }
  for (Index t = 0; t < kSteps; ++t)
    check_close(gradients[x].value().select(0, t), hand.dx[static_cast<std::size_t>(t)], "x(t)");
}

nn::Recurrent jordan(bool biases) {
  return nn::Recurrent(
      nn::Jordan(kInputs, kHidden, kOutputs, {.output_activation = sigmoid, .bias = biases}));
}

nn::Recurrent jordan_1986(double decay) {
  return nn::Recurrent(
      nn::Jordan1986(kInputs, kHidden, kOutputs, {.activation = tanh, .decay = decay}));
}

}  // namespace

TEST_CASE("the Jordan network has the gradients derived by hand, in closed loop and forced") {
  for (bool forced : {false, true})
    for (bool biases : {false, true}) {
      CAPTURE(forced);
      CAPTURE(biases);
      check_network({0.0, biases, forced}, jordan(biases), "input", "feedback", biases, forced);
    }
}

TEST_CASE("Jordan's network of 1986 has the gradients derived by hand, closed and forced") {
  for (bool forced : {false, true}) {
    CAPTURE(forced);
    check_network({0.6, true, forced}, jordan_1986(0.6), "plan", "state", true, forced);
  }
}

TEST_CASE("Jordan's network of 1986 with state units that keep nothing is the Jordan network") {
  nn::Recurrent plain_jordan = jordan(true);
  nn::Recurrent decaying = jordan_1986(0.0);
  plain_jordan.to(Dtype::float64);
  decaying.to(Dtype::float64);
  for (std::size_t k = 0; k < 5; ++k)
    decaying.parameters()[k].set(plain_jordan.parameters()[k].value());
  const Tensor x = sequence(samples(kSteps, 2, kInputs, 11));
  CHECK(plain_jordan(x).outputs.value().to_vector<double>() ==
        decaying(x).outputs.value().to_vector<double>());
}
