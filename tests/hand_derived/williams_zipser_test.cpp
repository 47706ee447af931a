// The network over S = I u Q of 003_75569be6c17a5139.txt, "Recurrent Layers - Formalism":
//
//   xi_k(t) = a_k(t-1) for k in Q, x_k(t) for k in I
//   z_k(t) = sum_{l in S} w_kl xi_l(t)    a_k(t) = phi(z_k(t))
//   E = sum_t sum_{k in Theta(t)} (y_k(t) - a_k(t))^2
//
// and its homework, the gradients and their recurrence relations. e_k(t) = y_k(t) - a_k(t) for k in
// Theta(t), else 0. Backward in time, with d_k(t) = dE/dz_k(t):
//
//   d_k(t) = phi'(z_k(t)) [-2 e_k(t) + sum_{l in Q} w_lk d_l(t+1)]    dE/dw_ij = sum_t d_i(t)
//   xi_j(t)
//
// Forward in time, with p^k_ij(t) = da_k(t)/dw_ij, zero before the first step:
//
//   p^k_ij(t) = phi'(z_k(t)) [sum_{l in Q} w_kl p^l_ij(t-1) + delta_ik xi_j(t)]
//   dE/dw_ij = - 2 sum_t sum_k e_k(t) p^k_ij(t)
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/williams_zipser.hpp>
#include <nn/learning/bptt.hpp>
#include <nn/learning/masked_squared_error.hpp>
#include <nn/learning/rtrl.hpp>
#include <nn/learning/truncated_bptt.hpp>
#include <nn/recurrent/recurrent.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 2;
constexpr Index kUnits = 4;
constexpr Index kAll = kInputs + kUnits;

struct ByHand {
  // Outputs change from step to step; at two of them there are none.
  std::vector<std::vector<Index>> theta{{0, 2}, {}, {3}, {}, {0, 1, 2, 3}, {2}};
  std::size_t steps = theta.size();
  Matrix w = sample(kUnits, kAll, 1);  // the columns of I, then those of Q
  Matrix a0 = sample(kUnits, 1, 2);
  std::vector<Matrix> x = samples(static_cast<Index>(steps), kInputs, 1, 3);
  std::vector<Matrix> y = samples(static_cast<Index>(steps), kUnits, 1, 4);
  std::vector<Matrix> xi, a, e;
  double error = 0.0;

  ByHand() {
    for (std::size_t t = 0; t < steps; ++t) {
      xi.push_back(Matrix(kAll, 1));
      for (Index l = 0; l < kInputs; ++l) xi[t](l) = x[t](l);
      for (Index l = 0; l < kUnits; ++l) xi[t](kInputs + l) = (t == 0 ? a0 : a[t - 1])(l);
      a.push_back(map(plain::sigmoid, product(w, xi[t])));
      e.push_back(Matrix(kUnits, 1));
      Matrix targets(kUnits, 1);
      for (Index k : theta[t]) {
        targets(k) = y[t](k);
        e[t](k) = y[t](k) - a[t](k);
        error += e[t](k) * e[t](k);
      }
      y[t] = targets;
    }
  }

  double slope(std::size_t t, Index k) const { return a[t](k) * (1.0 - a[t](k)); }

  Matrix backward_in_time() const {
    Matrix dw(kUnits, kAll);
    Matrix next(kUnits, 1);
    for (std::size_t t = steps; t-- > 0;) {
      Matrix d(kUnits, 1);
      for (Index k = 0; k < kUnits; ++k) {
        d(k) = -2.0 * e[t](k);
        for (Index l = 0; l < kUnits; ++l) d(k) += w(l, kInputs + k) * next(l);
        d(k) *= slope(t, k);
      }
      dw = dw + outer(d, xi[t]);
      next = d;
    }
    return dw;
  }

  Matrix forward_in_time() const {
    Matrix dw(kUnits, kAll);
    for (Index i = 0; i < kUnits; ++i)
      for (Index j = 0; j < kAll; ++j) {
        Matrix p(kUnits, 1);
        for (std::size_t t = 0; t < steps; ++t) {
          Matrix after(kUnits, 1);
          for (Index k = 0; k < kUnits; ++k) {
            for (Index l = 0; l < kUnits; ++l) after(k) += w(k, kInputs + l) * p(l);
            if (i == k) after(k) += xi[t](j);
            after(k) *= slope(t, k);
            dw(i, j) -= 2.0 * e[t](k) * after(k);
          }
          p = after;
        }
      }
    return dw;
  }
};

}  // namespace

TEST_CASE("the unit network has the gradients of both recurrences derived by hand") {
  const ByHand hand;
  nn::Recurrent network(nn::WilliamsZipser(kInputs, kUnits));
  const Parameter w = set(network, "weight_l0", hand.w);
  Tape tape;
  const Variable a = network(sequence(hand.x, true), {tensor(transposed(hand.a0))}).outputs;
  check_close(a.value().select(0, a.size(0) - 1), hand.a.back(), "a(t_f)");
  const Variable error =
      nn::masked_squared_error(a, sequence(hand.y, true), nn::unit_mask(hand.theta, kUnits));
  CHECK(error.item() == doctest::Approx(hand.error).epsilon(1e-13));
  const Tensor gradient = tape.gradients(error)[w].value();
  check_close(gradient, hand.backward_in_time(), "backward in time");
  check_close(gradient, hand.forward_in_time(), "forward in time");
}

TEST_CASE("so do the library's RTRL and BPTT, and RTRL carries p^k_ij") {
  const ByHand hand;
  nn::Recurrent network(nn::WilliamsZipser(kInputs, kUnits));
  const Parameter w = set(network, "weight_l0", hand.w);
  // What is to be known of a step is in one tensor: the targets, then the mask of Theta(t).
  const nn::StepLoss error = [](const Variable& a, const Tensor& known) {
    return nn::masked_squared_error(a, known.slice(-1, 0, kUnits),
                                    known.slice(-1, kUnits, 2 * kUnits));
  };
  const Tensor mask = nn::unit_mask(hand.theta, kUnits).to(Dtype::float64);
  const Tensor known = concat({Variable(sequence(hand.y, true)), Variable(mask)}).value();
  const Tensor x = sequence(hand.x, true);
  const nn::State a0{tensor(transposed(hand.a0))};

  nn::RTRL rtrl(network, error);
  nn::BPTT bptt(network, error);
  nn::TruncatedBPTT window(network, error, {.k1 = 1, .k2 = Index(hand.steps)});
  for (nn::LearningRule* rule :
       {static_cast<nn::LearningRule*>(&rtrl), static_cast<nn::LearningRule*>(&bptt),
        static_cast<nn::LearningRule*>(&window)}) {
    const nn::Update update = rule->gradients(x, known, a0);
    CHECK(update.loss == doctest::Approx(hand.error).epsilon(1e-13));
    check_close(update.gradients[w].value(), hand.backward_in_time(), "backward in time");
    check_close(update.gradients[w].value(), hand.forward_in_time(), "forward in time");
  }

  // After one step p^k_ij = phi'(z_k) delta_ik xi_j.
  rtrl.start(a0);
  rtrl.step(x.select(0, 0), known.select(0, 0));
  Matrix p(kUnits, kUnits * kAll);
  for (Index k = 0; k < kUnits; ++k)
    for (Index j = 0; j < kAll; ++j) p(k, k * kAll + j) = hand.slope(0, k) * hand.xi[0](j);
  REQUIRE(rtrl.influences().size() == 1);
  check_close(rtrl.influences()[0].matrix.select(0, 0), p, "p");
}
