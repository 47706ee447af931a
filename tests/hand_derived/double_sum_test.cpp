// Backpropagation through time as a double sum, 002_f7218ae54f6eb7a7.txt, "Backpropagation through
// time", "Basic equations" and "Gradient":
//
//   h_t = U x_t + W phi(h_{t-1})    y_t = V phi(h_t)    E_t = 1/2 sum_k (y_tk - target_tk)^2
//
//   dE/dW = sum_t sum_{k<=t} dE_t/dy_t dy_t/dh_t dh_t/dh_k dh_k/dW
//   dh_t/dh_k = prod_{i=k+1}^{t} dh_i/dh_{i-1}
//
// computed as it stands: each of the T (T + 1) / 2 terms by its own product of Jacobians, for each
// element of W; dh_k/dW is the immediate derivative, with h_{k-1} constant. With a row for each
// element of h_i, dh_i/dh_{i-1} = W diag(phi'(h_{i-1})); the slide's W^T is that of the transposed
// layout. phi(h_t) is the state of nn::FullyRecurrent, so phi(h_0) is its initial state.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/fully_recurrent.hpp>
#include <nn/recurrent/recurrent.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 2;
constexpr Index kHidden = 3;
constexpr Index kOutputs = 2;
constexpr Index kSteps = 6;

}  // namespace

TEST_CASE("the double sum over t and k, computed literally, is the gradient of the tape") {
  const Matrix u = sample(kHidden, kInputs, 1);
  const Matrix w = sample(kHidden, kHidden, 2);
  const Matrix v = sample(kOutputs, kHidden, 3);
  const Matrix phi0 = sample(kHidden, 1, 4);
  const std::vector<Matrix> x = samples(kSteps, kInputs, 1, 5);
  const std::vector<Matrix> target = samples(kSteps, kOutputs, 1, 6);

  std::vector<Matrix> phi, y;  // phi(h_t)
  for (std::size_t t = 0; t < x.size(); ++t) {
    const Matrix h = product(u, x[t]) + product(w, t == 0 ? phi0 : phi[t - 1]);
    phi.push_back(map([](double p) { return std::tanh(p); }, h));
    y.push_back(product(v, phi[t]));
  }
  const auto diagonal_slope = [&](std::size_t t) {
    Matrix d(kHidden, kHidden);
    for (Index k = 0; k < kHidden; ++k) d(k, k) = 1.0 - phi[t](k) * phi[t](k);
    return d;
  };
  Matrix dw(kHidden, kHidden);
  Matrix furthest(kHidden, kHidden);  // the terms of k = 1 alone, for t = T
  for (std::size_t t = 0; t < x.size(); ++t)
    for (std::size_t k = 0; k <= t; ++k) {
      Matrix row = transposed(y[t] - target[t]);          // dE_t/dy_t
      row = product(row, product(v, diagonal_slope(t)));  // dy_t/dh_t
      for (std::size_t i = t; i > k; --i)                 // dh_t/dh_k
        row = product(row, product(w, diagonal_slope(i - 1)));
      for (Index i = 0; i < kHidden; ++i)
        for (Index j = 0; j < kHidden; ++j) {
          Matrix immediate(kHidden, 1);  // dh_k/dw_ij
          immediate(i) = (k == 0 ? phi0 : phi[k - 1])(j);
          const double term = product(row, immediate)(0);
          dw(i, j) += term;
          if (t + 1 == x.size() && k == 0) furthest(i, j) = term;
        }
    }
  CHECK(largest(furthest) > 0.0);

  nn::Recurrent network(nn::FullyRecurrent(kInputs, kHidden, {.bias = false}));
  set(network, "input.weight_l0", u);
  const Parameter recurrent = set(network, "recurrent.weight_l0", w);
  Tape tape;
  const Variable state = network(sequence(x, true), {tensor(transposed(phi0))}).outputs;
  const Variable error =
      0.5 * sum(square(linear(state, Variable(tensor(v))) - Variable(sequence(target, true))));
  check_close(tape.gradients(error)[recurrent].value(), dw, "W");
}
