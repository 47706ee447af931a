// The computational graphs of 004_f35a51dda55cb382.txt, "Computational graphs". G is the gradient
// that arrives from above: dL/dz, dL/dy, dL/dH.
//
//   z = x y                 dL/dx = G y          dL/dy = G x
//
//   y = sigma(x^T W + b)    delta = G (.) y (.) (1 - y)
//                           dL/dW = x delta^T    dL/dx = W delta      dL/db = delta
//
//   H = max{0, XW + b}      delta = G (.) [XW + b > 0]
//                           dL/dW = X^T delta    dL/dX = delta W^T    dL/db_j = sum_i delta_ij
//                           (b is added to every row i)
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

TEST_CASE("z = x y has the slopes y and x") {
  Tape tape;
  const Variable x = tape.watch(full({}, 1.75, Dtype::float64));
  const Variable y = tape.watch(full({}, -0.6, Dtype::float64));
  const Variable z = x * y;
  CHECK(z.item() == 1.75 * -0.6);
  CHECK(tape.statistics().operations == 1);
  const Gradients gradients = tape.gradients(z);
  CHECK(gradients[x].item() == -0.6);
  CHECK(gradients[y].item() == 1.75);
}

TEST_CASE("z = x x has the slope 2x: both arrows into the node count") {
  Tape tape;
  const Variable x = tape.watch(full({}, 1.75, Dtype::float64));
  CHECK(tape.gradients(x * x)[x].item() == 3.5);
}

TEST_CASE("y = sigma(x^T W + b) has the slopes derived by hand") {
  const Index inputs = 4;
  const Index outputs = 3;
  const Matrix x = sample(inputs, 1, 1);
  const Matrix w = sample(inputs, outputs, 2);
  const Matrix b = sample(outputs, 1, 3);
  const Matrix g = sample(outputs, 1, 4);

  const Matrix y = map(plain::sigmoid, product(transposed(w), x) + b);
  const Matrix delta = hadamard(g, map([](double p) { return p * (1.0 - p); }, y));

  Tape tape;
  const Variable vx = tape.watch(tensor(x));
  const Variable vw = tape.watch(tensor(w));
  const Variable vb = tape.watch(tensor(b, {outputs}));
  const Variable vy = sigmoid(matmul(transpose(vx), vw) + vb);
  check_close(vy.value(), y, "y");
  const Gradients gradients = tape.gradients(vy, {.seed = Variable(tensor(transposed(g)))});
  check_close(gradients[vw].value(), outer(x, delta), "W");
  check_close(gradients[vx].value(), product(w, delta), "x");
  check_close(gradients[vb].value(), delta, "b");
}

TEST_CASE("H = max{0, XW + b} has the slopes derived by hand") {
  const Index rows = 5;
  const Index inputs = 4;
  const Index outputs = 3;
  const Matrix x = sample(rows, inputs, 5);
  const Matrix w = sample(inputs, outputs, 6);
  const Matrix b = sample(outputs, 1, 7);
  const Matrix g = sample(rows, outputs, 8);

  Matrix a = product(x, w);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < outputs; ++j) a(i, j) += b(j);
  const Matrix h = map([](double p) { return std::max(0.0, p); }, a);
  const Matrix delta = zip([](double p, double q) { return p > 0.0 ? q : 0.0; }, a, g);
  Matrix db(outputs, 1);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < outputs; ++j) db(j) += delta(i, j);
  const auto off = std::count(h.values.begin(), h.values.end(), 0.0);
  REQUIRE(off > 0);  // units on both sides of the kink
  REQUIRE(off < rows * outputs);

  Tape tape;
  const Variable vx = tape.watch(tensor(x));
  const Variable vw = tape.watch(tensor(w));
  const Variable vb = tape.watch(tensor(b, {outputs}));
  const Variable vh = relu(matmul(vx, vw) + vb);
  check_close(vh.value(), h, "H");
  const Gradients gradients = tape.gradients(vh, {.seed = Variable(tensor(g))});
  check_close(gradients[vw].value(), product(transposed(x), delta), "W");
  check_close(gradients[vx].value(), product(delta, transposed(w)), "X");
  check_close(gradients[vb].value(), db, "b");
}

TEST_CASE("max{0, a} has the slope 0 at a = 0") {
  Tape tape;
  const Variable a = tape.watch(Tensor::of({3}, {-1.0, 0.0, 2.0}));
  CHECK(tape.gradients(sum(relu(a)))[a].value().to_vector<double>() ==
        std::vector<double>{0.0, 0.0, 1.0});
}
