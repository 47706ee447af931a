// Unfolding in time.
//
// 000_1637ef2ec2d0b1c0.txt, "Unfolding in time", <x1, x2, x3> -> y:
//
//   h1 = f_hid(W_in x1)                  h2 = f_hid(W_in x2 + W_rec h1)
//   y  = f_out(W_out h3)                 h3 = f_hid(W_in x3 + W_rec h2)
//
// As a graph: one chain h1 -> h2 -> h3 -> y, an arrow from each x_i to h_i, three leaves W for all
// of it. A path from u to v is a Jacobian dv/du that is not zero; without one it is exactly zero.
//
// 002_f7218ae54f6eb7a7.txt, "Computational graph": s(3) = f(f(f(s(0), x(1)), x(2)), x(3)), with
// one theta throughout.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 2;
constexpr Index kHidden = 3;

/// The slide's three hidden states and y on the living tape, column vectors as on the slide.
struct Unfolded {
  Parameter w_in{"W_in", tensor(sample(kHidden, kInputs, 1))};
  Parameter w_rec{"W_rec", tensor(sample(kHidden, kHidden, 2))};
  Parameter w_out{"W_out", tensor(sample(1, kHidden, 3))};
  std::vector<Variable> x, h;
  Variable y;

  explicit Unfolded(Tape& tape) {
    for (const Matrix& value : samples(3, kInputs, 1, 4)) x.push_back(tape.watch(tensor(value)));
    h.push_back(tanh(matmul(w_in, x[0])));
    h.push_back(tanh(matmul(w_in, x[1]) + matmul(w_rec, h[0])));
    h.push_back(tanh(matmul(w_in, x[2]) + matmul(w_rec, h[1])));
    y = sigmoid(matmul(w_out, h[2]));
  }
};

}  // namespace

TEST_CASE("unfolding <x1,x2,x3> -> y records each operation of the slide once, in order") {
  Tape tape;
  const Unfolded graph(tape);
  // h1: a product and f; h2 and h3: two products, their sum and f; y: a product and f.
  CHECK(tape.statistics().operations == 2 + 4 + 4 + 2);
  CHECK(tape.statistics().saved == tape.statistics().operations);

  const Gradients gradients = tape.gradients(graph.y);
  CHECK(gradients.parameters().size() == 3);
  CHECK(gradients.parameters()[0].parameter == graph.w_in);
  CHECK(gradients.parameters()[1].parameter == graph.w_rec);
  CHECK(gradients.parameters()[2].parameter == graph.w_out);
  CHECK(tape.statistics().saved == 0);
}

TEST_CASE("the arrows of the unfolded graph lead forward in time only") {
  Tape tape;
  const Unfolded graph(tape);
  // dh_i/dx_j and dh_i/dh_j, weighted by a seed: every path shows as a non-zero.
  for (std::size_t i = 0; i < 3; ++i) {
    GradientOptions options{.seed = Variable(tensor(sample(kHidden, 1, 5))), .retain = true};
    for (std::size_t j = 0; j < 3; ++j)
      if (j != i) options.of.push_back(graph.h[j]);
    const Gradients gradients = tape.gradients(graph.h[i], options);
    for (std::size_t j = 0; j < 3; ++j) {
      CAPTURE(i);
      CAPTURE(j);
      const bool leads_to_x = j <= i;
      const bool leads_to_h = j < i;
      for (double slope : gradients[graph.x[j]].value().to_vector<double>())
        CHECK((slope != 0.0) == leads_to_x);
      if (j == i) continue;
      for (double slope : gradients[graph.h[j]].value().to_vector<double>())
        CHECK((slope != 0.0) == leads_to_h);
    }
  }
}

TEST_CASE("each step of an unrolled cell records the same operations, whatever its length") {
  const auto operations = [](Index steps) {
    nn::Recurrent network(nn::Elman(kInputs, kHidden));
    Tape tape;
    network(zeros({steps, 1, kInputs}));
    return tape.statistics().operations;
  };
  const std::size_t one_more = operations(2) - operations(1);
  CHECK(one_more > 0);
  CHECK(operations(3) - operations(2) == one_more);
  CHECK(operations(50) - operations(1) == 49 * one_more);
}

TEST_CASE("an unrolled cell is the nested composition f(f(f(s0,x1),x2),x3)") {
  const nn::LSTM cell(kInputs, kHidden);
  nn::Recurrent network(cell);
  network.to(Dtype::float64);
  const Tensor x = sequence(samples(3, 2, kInputs, 6));
  const nn::State s0{tensor(sample(2, kHidden, 7)), tensor(sample(2, kHidden, 8))};
  const auto f = [&](const nn::State& state, Index t) {
    return cell.step(cell.project(Variable(x.select(0, t))), state).state;
  };

  const nn::State nested = f(f(f(s0, 0), 1), 2);
  const auto [outputs, state] = network(x, s0);
  for (std::size_t k = 0; k < 2; ++k)
    for (Index b = 0; b < 2; ++b)
      for (Index j = 0; j < kHidden; ++j)
        CHECK(state[k].value().at({b, j}) ==
              doctest::Approx(nested[k].value().at({b, j})).epsilon(1e-14));
  CHECK(outputs.value().select(0, 2).to_vector<double>() == state[0].value().to_vector<double>());
}

TEST_CASE("unfolding shares theta: one leaf, whose gradient is the sum over the steps") {
  const Matrix theta = sample(kHidden, kHidden, 9);
  const std::vector<Matrix> x = samples(3, kHidden, 1, 10);
  const auto f = [](const Variable& s, const Matrix& input, const Variable& w) {
    return tanh(matmul(w, s) + Variable(tensor(input)));
  };
  const Variable s0(tensor(sample(kHidden, 1, 11)));

  const Parameter shared("theta", tensor(theta));
  Tape tape;
  const Gradients together =
      tape.gradients(sum(f(f(f(s0, x[0], shared), x[1], shared), x[2], shared)));
  CHECK(together.parameters().size() == 1);

  // The same values as three parameters, one a step: their gradients are the terms of the sum.
  Tape apart;
  const Variable first = apart.watch(tensor(theta));
  const Variable second = apart.watch(tensor(theta));
  const Variable third = apart.watch(tensor(theta));
  const Gradients terms = apart.gradients(sum(f(f(f(s0, x[0], first), x[1], second), x[2], third)));
  Matrix total(kHidden, kHidden);
  for (const Variable& term : {first, second, third}) {
    Matrix one(kHidden, kHidden);
    one.values = terms[term].value().to_vector<double>();
    CHECK(largest(one) > 0.0);
    total = total + one;
  }
  check_close(together[shared].value(), total, "theta");
}
