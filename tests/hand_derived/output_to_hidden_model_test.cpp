// Model 2 of 004_f35a51dda55cb382.txt, "2nd Model", recurrent from the output to the hidden units
// (002_f7218ae54f6eb7a7.txt, "Output to hidden unit connection"), with softmax:
//
//   a(t) = b + W y(t-1) + U x(t)    h(t) = tanh(a(t))    o(t) = c + V h(t)    y(t) = softmax(o(t))
//   L = - sum_t log y(t)[target(t)]
//
// Backward. o(t) is read by the loss, and by y(t), which a(t+1) reads; the Jacobian of softmax is
// diag(y) - y y^T, and is symmetric:
//
//   dL/dy(t) = W^T dL/da(t+1)                      (zero at the last t)
//   dL/do(t) = y(t) - e(t) + y(t) (.) (dL/dy(t) - <y(t), dL/dy(t)>)
//   dL/da(t) = (1 - h(t)^2) (.) V^T dL/do(t)
//   dL/dc = sum dL/do(t)     dL/dV = sum dL/do(t) h(t)^T
//   dL/db = sum dL/da(t)     dL/dW = sum dL/da(t) y(t-1)^T     dL/dU = sum dL/da(t) x(t)^T
//
// "Open up": with teacher forcing a(t+1) reads e(t), the target, in place of y(t). Then dL/dy(t) is
// zero, and each dL/do(t) = y(t) - e(t) stands alone.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;
constexpr Index kOutputs = 5;
constexpr Index kSteps = 4;

struct Model2 {
  Matrix u = sample(kHidden, kInputs, 1);
  Matrix w = sample(kHidden, kOutputs, 2);
  Matrix v = sample(kOutputs, kHidden, 3);
  Matrix b = sample(kHidden, 1, 4);
  Matrix c = sample(kOutputs, 1, 5);
  Matrix y0 = sample(kOutputs, 1, 6);
  std::vector<Matrix> x = samples(kSteps, kInputs, 1, 7);
  std::vector<std::int64_t> targets{2, 0, 4, 2};
  std::vector<Matrix> e, h, o, y, d_o{kSteps}, dx{kSteps};
  double loss = 0.0;
  Matrix du{kHidden, kInputs}, dw{kHidden, kOutputs}, dv{kOutputs, kHidden}, db{kHidden, 1},
      dc{kOutputs, 1}, dy0;

  explicit Model2(bool forced) {
    for (std::size_t t = 0; t < x.size(); ++t) {
      e.push_back(Matrix(kOutputs, 1));
      e[t](targets[t]) = 1.0;
      h.push_back(map([](double p) { return std::tanh(p); },
                      b + product(w, before(t, forced)) + product(u, x[t])));
      o.push_back(c + product(v, h[t]));
      Matrix p = map([](double q) { return std::exp(q); }, o[t]);
      double total = 0.0;
      for (double value : p.values) total += value;
      y.push_back((1.0 / total) * p);
      loss -= std::log(y[t](targets[t]));
    }
    Matrix dy(kOutputs, 1);
    for (std::size_t t = x.size(); t-- > 0;) {
      d_o[t] = y[t] - e[t];
      if (!forced) {
        double inner = 0.0;
        for (Index k = 0; k < kOutputs; ++k) inner += y[t](k) * dy(k);
        d_o[t] = d_o[t] + hadamard(y[t], map([inner](double p) { return p - inner; }, dy));
      }
      const Matrix da =
          hadamard(map([](double p) { return 1.0 - p * p; }, h[t]), product(transposed(v), d_o[t]));
      dc = dc + d_o[t];
      dv = dv + outer(d_o[t], h[t]);
      db = db + da;
      dw = dw + outer(da, before(t, forced));
      du = du + outer(da, x[t]);
      dx[t] = product(transposed(u), da);
      dy = product(transposed(w), da);
    }
    dy0 = dy;
  }

  const Matrix& before(std::size_t t, bool forced) const {
    return t == 0 ? y0 : forced ? e[t - 1] : y[t - 1];
  }
};

void check_network(bool forced) {
  const Model2 hand(forced);
  nn::Recurrent network(nn::OutputToHidden(kInputs, kHidden, kOutputs));
  const Parameter u = set(network, "input.weight_l0", hand.u);
  const Parameter w = set(network, "feedback.weight_l0", hand.w);
  const Parameter v = set(network, "readout.weight_l0", hand.v);
  const Parameter b = set(network, "input.bias_l0", hand.b);
  const Parameter c = set(network, "readout.bias_l0", hand.c);

  Tape tape;
  const Variable x = tape.watch(sequence(hand.x, true));
  const Variable y0 = tape.watch(tensor(transposed(hand.y0)));
  const nn::State initial{zeros({1, kOutputs}, Dtype::float64), y0};
  nn::UnrollOptions options;
  if (forced) options.targets = sequence(hand.e, true);
  const auto [o, state] = network(x, initial, options);
  for (Index t = 0; t < kSteps; ++t)
    check_close(o.value().select(0, t), hand.o[static_cast<std::size_t>(t)], "o(t)");
  // cross_entropy is the mean over the steps, the lecture's loss is their sum.
  const Variable loss = cross_entropy(o, Tensor::of({kSteps, 1}, hand.targets)) * double(kSteps);
  CHECK(loss.item() == doctest::Approx(hand.loss).epsilon(1e-13));

  const Gradients gradients = tape.gradients(loss);
  check_close(gradients[u].value(), hand.du, "U");
  check_close(gradients[w].value(), hand.dw, "W");
  check_close(gradients[v].value(), hand.dv, "V");
  check_close(gradients[b].value(), hand.db, "b");
  check_close(gradients[c].value(), hand.dc, "c");
  check_close(gradients[y0].value(), hand.dy0, "y(0)");
  for (Index t = 0; t < kSteps; ++t)
    check_close(gradients[x].value().select(0, t), hand.dx[static_cast<std::size_t>(t)], "x(t)");
}

}  // namespace

TEST_CASE("model 2 in closed loop has the gradients derived by hand") { check_network(false); }

TEST_CASE("model 2, opened up by teacher forcing, has the gradients derived by hand") {
  check_network(true);
}
