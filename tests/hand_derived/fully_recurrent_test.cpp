// The Elman network with fixed context weights and the fully recurrent network of
// 001_7fa6a7ec02051579.txt, "Elman Network" and "Fully Recurrent Neural Network":
//
//   s(t) = W^T x(t) + R^T a(t-1)    a(t) = f(s(t))    y(t) = g(V^T a(t))
//
// where R = 1 is fixed for the Elman network: s(t) = W^T x(t) + a(t-1). Here g is sigma.
//
// Backward, for L = sum_t <r(t), y(t)>. a(t) is read by y(t) and by s(t+1):
//
//   do(t) = r(t) (.) y(t) (.) (1 - y(t))           o(t) = V^T a(t)
//   da(t) = V do(t) + R ds(t+1)                    (at the last t only the first term)
//   ds(t) = f'(s(t)) (.) da(t)
//   dW = sum x(t) ds(t)^T    dR = sum a(t-1) ds(t)^T    dV = sum a(t) do(t)^T
//   dx(t) = W ds(t)          da(0) = R ds(1)
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
  Matrix w = sample(kInputs, kHidden, 1);
  Matrix r = sample(kHidden, kHidden, 2);
  Matrix v = sample(kHidden, kOutputs, 3);
  Matrix a0 = sample(kHidden, 1, 4);
  std::vector<Matrix> x = samples(kSteps, kInputs, 1, 5);
  std::vector<Matrix> slope_of_y = samples(kSteps, kOutputs, 1, 6);
  std::vector<Matrix> a, y, dx{kSteps};
  Matrix dw{kInputs, kHidden}, dr{kHidden, kHidden}, dv{kHidden, kOutputs}, da0;

  // f, and f' in terms of a = f(s).
  ByHand(double (*f)(double), double (*f_slope)(double), bool fixed_context) {
    if (fixed_context)
      for (Index i = 0; i < kHidden; ++i)
        for (Index j = 0; j < kHidden; ++j) r(i, j) = i == j ? 1.0 : 0.0;
    for (std::size_t t = 0; t < x.size(); ++t) {
      const Matrix& before = t == 0 ? a0 : a[t - 1];
      a.push_back(map(f, product(transposed(w), x[t]) + product(transposed(r), before)));
      y.push_back(map(plain::sigmoid, product(transposed(v), a[t])));
    }
    Matrix from_next(kHidden, 1);  // R ds(t+1)
    for (std::size_t t = x.size(); t-- > 0;) {
      const Matrix d_o = hadamard(slope_of_y[t], map([](double p) { return p * (1.0 - p); }, y[t]));
      const Matrix ds = hadamard(map(f_slope, a[t]), product(v, d_o) + from_next);
      dv = dv + outer(a[t], d_o);
      dw = dw + outer(x[t], ds);
      dr = dr + outer(t == 0 ? a0 : a[t - 1], ds);
      dx[t] = product(w, ds);
      from_next = product(r, ds);
    }
    da0 = from_next;
  }
};

void check_network(const ByHand& hand, nn::Recurrent network, bool fixed_context) {
  nn::Linear readout(kHidden, kOutputs, {.bias = false});
  const Parameter w = set(network, "input.weight_l0", transposed(hand.w));
  const Parameter v = set(readout, "weight", transposed(hand.v));
  if (!fixed_context) set(network, "recurrent.weight_l0", transposed(hand.r));

  Tape tape;
  const Variable x = tape.watch(sequence(hand.x, true));
  const Variable a0 = tape.watch(tensor(transposed(hand.a0)));
  const auto [a, state] = network(x, {a0});
  const Variable y = sigmoid(readout(a));
  check_close(a.value().select(0, kSteps - 1), hand.a.back(), "a(T)");
  check_close(y.value().select(0, kSteps - 1), hand.y.back(), "y(T)");

  const Gradients gradients = tape.gradients(sum(y * Variable(sequence(hand.slope_of_y, true))));
  check_close(gradients[w].value(), transposed(hand.dw), "W");
  check_close(gradients[v].value(), transposed(hand.dv), "V");
  check_close(gradients[a0].value(), hand.da0, "a(0)");
  for (Index t = 0; t < kSteps; ++t)
    check_close(gradients[x].value().select(0, t), hand.dx[static_cast<std::size_t>(t)], "x(t)");
  CHECK(network.parameters().size() == (fixed_context ? 1 : 2));  // R = 1 is no parameter
  if (!fixed_context)
    check_close(gradients[network.parameters()[1]].value(), transposed(hand.dr), "R");
}

double tanh_slope(double a) { return 1.0 - a * a; }
double sigmoid_slope(double a) { return a * (1.0 - a); }

}  // namespace

TEST_CASE("the Elman network with context weight 1.0 has the gradients derived by hand") {
  check_network({std::tanh, tanh_slope, true},
                nn::Recurrent(nn::FixedContextElman(kInputs, kHidden, {.bias = false})), true);
  check_network({plain::sigmoid, sigmoid_slope, true},
                nn::Recurrent(nn::FixedContextElman(kInputs, kHidden,
                                                    {.activation = sigmoid, .bias = false})),
                true);
}

TEST_CASE("the fully recurrent network has the gradients derived by hand") {
  check_network({std::tanh, tanh_slope, false},
                nn::Recurrent(nn::FullyRecurrent(kInputs, kHidden, {.bias = false})), false);
  check_network(
      {plain::sigmoid, sigmoid_slope, false},
      nn::Recurrent(nn::FullyRecurrent(kInputs, kHidden, {.activation = sigmoid, .bias = false})),
      false);
}

TEST_CASE("a fully recurrent network with R = 1 and no biases is the fixed-context one") {
  nn::Recurrent full(nn::FullyRecurrent(kInputs, kHidden, {.bias = false}));
  nn::Recurrent fixed(nn::FixedContextElman(kInputs, kHidden, {.bias = false}));
  Matrix one(kHidden, kHidden);
  for (Index i = 0; i < kHidden; ++i) one(i, i) = 1.0;
  const Matrix w = sample(kHidden, kInputs, 7);
  set(full, "input.weight_l0", w);
  set(full, "recurrent.weight_l0", one);
  set(fixed, "input.weight_l0", w);
  const Tensor x = sequence(samples(kSteps, 2, kInputs, 8));
  CHECK(full(x).outputs.value().to_vector<double>() ==
        fixed(x).outputs.value().to_vector<double>());
}
