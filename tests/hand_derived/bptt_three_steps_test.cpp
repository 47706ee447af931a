// Backpropagation through time over three steps, 000_1637ef2ec2d0b1c0.txt, "Gradients and Weight
// Update", <x1, x2, x3> -> y with the correct output d. a_i = W_in x_i + W_rec h_{i-1}, h_0 = 0,
// h_i = f_hid(a_i), b = W_out h_3, y = f_out(b), E = 1/2 |d - y|^2. Every g is minus a slope of E:
//
//   g_out  = -dE/db   = f_out'(b) (.) (d - y)
//   g_hid3 = -dE/da_3 = f_hid'(a_3) (.) W_out^T g_out
//   g_hid2 = -dE/da_2 = f_hid'(a_2) (.) W_rec^T g_hid3
//   g_hid1 = -dE/da_1 = f_hid'(a_1) (.) W_rec^T g_hid2
//
//   dW_out = g_out h_3^T
//   dW_rec = g_hid2 h_1^T + g_hid3 h_2^T                      (h_0 = 0 leaves two terms)
//   dW_in  = g_hid1 x_1^T + g_hid2 x_2^T + g_hid3 x_3^T
//
// The slide leaves out the three transposes. They belong there: a_{i+1} = W_rec h_i + ... has
// da_{i+1,k}/dh_{i,j} = W_rec[k,j], and the chain rule sums over k, the row.
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

struct Slide {
  Matrix w_in = sample(kHidden, kInputs, 1);
  Matrix w_rec = sample(kHidden, kHidden, 2);
  Matrix w_out = sample(kOutputs, kHidden, 3);
  std::vector<Matrix> x = samples(3, kInputs, 1, 4);
  Matrix d = sample(kOutputs, 1, 5);

  Matrix h1, h2, h3, y, g_out, g_hid1, g_hid2, g_hid3;

  // f_hid = tanh, f_out = sigmoid.
  Slide() {
    const auto f_hid = [](double a) { return std::tanh(a); };
    h1 = map(f_hid, product(w_in, x[0]));
    h2 = map(f_hid, product(w_in, x[1]) + product(w_rec, h1));
    h3 = map(f_hid, product(w_in, x[2]) + product(w_rec, h2));
    y = map(plain::sigmoid, product(w_out, h3));

    const auto slope = [](double h) { return 1.0 - h * h; };
    g_out = hadamard(map([](double p) { return p * (1.0 - p); }, y), d - y);
    g_hid3 = hadamard(map(slope, h3), product(transposed(w_out), g_out));
    g_hid2 = hadamard(map(slope, h2), product(transposed(w_rec), g_hid3));
    g_hid1 = hadamard(map(slope, h1), product(transposed(w_rec), g_hid2));
  }

  Matrix dw_out() const { return outer(g_out, h3); }
  Matrix dw_rec() const { return outer(g_hid2, h1) + outer(g_hid3, h2); }
  Matrix dw_in() const { return outer(g_hid1, x[0]) + outer(g_hid2, x[1]) + outer(g_hid3, x[2]); }
};

Variable half_squared_error(const Matrix& d, const Variable& y) {
  return 0.5 * sum(square(Variable(tensor(d)) - y));
}

}  // namespace

TEST_CASE("each outer product of the slide is the gradient of one use of a weight") {
  const Slide slide;
  Tape tape;
  // Every use gets a leaf of its own, so that the terms of the slide's sums can be told apart.
  std::vector<Variable> in, rec, a, h;
  for (int i = 0; i < 3; ++i) in.push_back(tape.watch(tensor(slide.w_in)));
  for (int i = 0; i < 2; ++i) rec.push_back(tape.watch(tensor(slide.w_rec)));
  const Variable w_out = tape.watch(tensor(slide.w_out));
  for (std::size_t i = 0; i < 3; ++i) {
    const Variable from_input = matmul(in[i], Variable(tensor(slide.x[i])));
    a.push_back(i == 0 ? from_input : from_input + matmul(rec[i - 1], h[i - 1]));
    h.push_back(tanh(a[i]));
  }
  const Variable b = matmul(w_out, h[2]);
  const Gradients slopes =
      tape.gradients(half_squared_error(slide.d, sigmoid(b)), {.of = {a[0], a[1], a[2], b}});

  check_close(slopes[b].value(), -slide.g_out, "g_out");
  check_close(slopes[a[2]].value(), -slide.g_hid3, "g_hid3");
  check_close(slopes[a[1]].value(), -slide.g_hid2, "g_hid2");
  check_close(slopes[a[0]].value(), -slide.g_hid1, "g_hid1");
  check_close(slopes[w_out].value(), -outer(slide.g_out, slide.h3), "g_out h3^T");
  check_close(slopes[rec[0]].value(), -outer(slide.g_hid2, slide.h1), "g_hid2 h1^T");
  check_close(slopes[rec[1]].value(), -outer(slide.g_hid3, slide.h2), "g_hid3 h2^T");
  check_close(slopes[in[0]].value(), -outer(slide.g_hid1, slide.x[0]), "g_hid1 x1^T");
  check_close(slopes[in[1]].value(), -outer(slide.g_hid2, slide.x[1]), "g_hid2 x2^T");
  check_close(slopes[in[2]].value(), -outer(slide.g_hid3, slide.x[2]), "g_hid3 x3^T");
}

TEST_CASE("without the transpose that the slide leaves out, g_hid2 is wrong") {
  const Slide slide;
  Tape tape;
  const Variable a2 =
      tape.watch(tensor(product(slide.w_in, slide.x[1]) + product(slide.w_rec, slide.h1)));
  const Variable h3 = tanh(Variable(tensor(product(slide.w_in, slide.x[2]))) +
                           matmul(Variable(tensor(slide.w_rec)), tanh(a2)));
  const Variable y = sigmoid(matmul(Variable(tensor(slide.w_out)), h3));
  const Tensor slope = tape.gradients(half_squared_error(slide.d, y))[a2].value();
  check_close(slope, -slide.g_hid2, "with W_rec^T");
  check_differs(slope,
                -hadamard(map([](double h) { return 1.0 - h * h; }, slide.h2),
                          product(slide.w_rec, slide.g_hid3)),
                "with W_rec");
}

TEST_CASE("SGD on the unrolled network makes the weight updates of the slide") {
  const Slide slide;
  nn::Recurrent network(nn::Elman(kInputs, kHidden));
  nn::Linear readout(kHidden, kOutputs, {.bias = false});
  const Parameter w_in = set(network, "weight_ih_l0", slide.w_in);
  const Parameter w_rec = set(network, "weight_hh_l0", slide.w_rec);
  const Parameter w_out = set(readout, "weight", slide.w_out);
  set(network, "bias_ih_l0", Matrix(kHidden, 1));
  set(network, "bias_hh_l0", Matrix(kHidden, 1));

  const double alpha = 0.25;
  nn::SGD sgd({w_in, w_rec, w_out}, {.learning_rate = alpha});
  Tape tape;
  const auto [outputs, state] = network(sequence(slide.x, true));
  const Variable y = sigmoid(readout(state[0]));
  const Gradients slopes = tape.gradients(half_squared_error(transposed(slide.d), y));
  check_close(slopes[w_out].value(), -slide.dw_out(), "dW_out");
  check_close(slopes[w_rec].value(), -slide.dw_rec(), "dW_rec");
  check_close(slopes[w_in].value(), -slide.dw_in(), "dW_in");

  sgd.step(slopes);
  check_close(w_out.value(), slide.w_out + alpha * slide.dw_out(), "W_out + alpha dW_out");
  check_close(w_rec.value(), slide.w_rec + alpha * slide.dw_rec(), "W_rec + alpha dW_rec");
  check_close(w_in.value(), slide.w_in + alpha * slide.dw_in(), "W_in + alpha dW_in");
}
