// Focused backpropagation (Mozer, 1989; named in 001_7fa6a7ec02051579.txt beside BPTT and RTRL).
// Mozer's context units read their inputs and themselves, never each other:
//
//   c_i(t) = d_i c_i(t-1) + s(net_i(t))     net_i(t) = sum_j w_ij x_j(t)     y(t) = V c(t)
//
// with E(t) = 1/2 |target(t) - y(t)|^2 and delta_i(t) = dE(t)/dc_i(t). As dc_i(t)/dd_i and
// dc_i(t)/dw_ij follow the recurrence of c_i itself, two traces of one number for each weight are
// all that must be carried:
//
//   alpha_i(t)  = c_i(t-1) + d_i alpha_i(t-1)              dE(t)/dd_i  = delta_i(t) alpha_i(t)
//   beta_ij(t)  = s'(net_i(t)) x_j(t) + d_i beta_ij(t-1)   dE(t)/dw_ij = delta_i(t) beta_ij(t)
//
// Where units do read each other, as in h(t) = tanh(W_in x(t) + W_rec h(t-1)), the rule follows
// only what goes back from a unit to itself. In the form of BPTT, with e(t) = dE(t)/dh(t):
//
//   g_k(t) = (1 - h_k(t)^2) [e_k(t) + w_kk g_k(t+1)]
//   dE/dW_rec = sum_t g(t) h(t-1)^T      dE/dW_in = sum_t g(t) x(t)^T
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 3;
constexpr Index kUnits = 4;
constexpr Index kOutputs = 2;
constexpr Index kSteps = 6;

class ContextUnits : public nn::Cell {
 public:
  ContextUnits()
      : Cell(kInputs, {kUnits}),
        decay_(parameter("d", zeros({kUnits}))),
        weight_(parameter("w", zeros({kUnits, kInputs}))) {}

  nn::Step step(const Variable& x, const nn::State& state) const override {
    return {decay_ * state[0] + unroll::sigmoid(linear(x, weight_))};
  }

 private:
  Parameter decay_, weight_;
};

nn::StepLoss half_squared_error(const Matrix& v) {
  return [v = tensor(v)](const Variable& h, const Tensor& target) {
    return 0.5 * sum(square(Variable(target) - linear(h, v)));
  };
}

}  // namespace

TEST_CASE("in Mozer's network the rule is his two traces, at every step") {
  const Matrix d = sample(kUnits, 1, 1);
  const Matrix w = sample(kUnits, kInputs, 2);
  const Matrix v = sample(kOutputs, kUnits, 3);
  const std::vector<Matrix> x = samples(kSteps, kInputs, 1, 4);
  const std::vector<Matrix> target = samples(kSteps, kOutputs, 1, 5);

  nn::Recurrent network(ContextUnits{});
  const Parameter decay = set(network, "d_l0", d);
  const Parameter weight = set(network, "w_l0", w);
  nn::FocusedBackpropagation rule(network, half_squared_error(v));

  Matrix c = sample(kUnits, 1, 6);
  Matrix alpha(kUnits, 1);
  Matrix beta(kUnits, kInputs);
  rule.start({tensor(transposed(c))});
  for (std::size_t t = 0; t < x.size(); ++t) {
    const Matrix s = map(plain::sigmoid, product(w, x[t]));
    for (Index i = 0; i < kUnits; ++i) {
      alpha(i) = c(i) + d(i) * alpha(i);
      for (Index j = 0; j < kInputs; ++j)
        beta(i, j) = s(i) * (1.0 - s(i)) * x[t](j) + d(i) * beta(i, j);
    }
    c = hadamard(d, c) + s;
    const Matrix delta = product(transposed(v), product(v, c) - target[t]);
    Matrix dw = beta;
    for (Index i = 0; i < kUnits; ++i)
      for (Index j = 0; j < kInputs; ++j) dw(i, j) *= delta(i);

    const auto update = rule.step(tensor(transposed(x[t])), tensor(transposed(target[t])));
    REQUIRE(update.has_value());
    check_close(update->gradients[decay].value(), hadamard(delta, alpha), "d");
    check_close(update->gradients[weight].value(), dw, "w");
  }
}

TEST_CASE("in an Elman network the rule follows the diagonal of W_rec alone") {
  const Matrix w_in = sample(kUnits, kInputs, 1);
  const Matrix w_rec = sample(kUnits, kUnits, 2);
  const Matrix v = sample(kOutputs, kUnits, 3);
  const std::vector<Matrix> x = samples(kSteps, kInputs, 1, 4);
  const std::vector<Matrix> target = samples(kSteps, kOutputs, 1, 5);

  std::vector<Matrix> h{Matrix(kUnits, 1)};
  for (const Matrix& input : x)
    h.push_back(map([](double a) { return std::tanh(a); },
                    product(w_in, input) + product(w_rec, h.back())));
  Matrix dw_in(kUnits, kInputs);
  Matrix dw_rec(kUnits, kUnits);
  Matrix g(kUnits, 1);
  for (std::size_t t = x.size(); t > 0; --t) {
    const Matrix e = product(transposed(v), product(v, h[t]) - target[t - 1]);
    for (Index k = 0; k < kUnits; ++k)
      g(k) = (1.0 - h[t](k) * h[t](k)) * (e(k) + w_rec(k, k) * g(k));
    dw_in = dw_in + outer(g, x[t - 1]);
    dw_rec = dw_rec + outer(g, h[t - 1]);
  }

  nn::Recurrent network(nn::Elman(kInputs, kUnits));
  const Parameter in = set(network, "weight_ih_l0", w_in);
  const Parameter rec = set(network, "weight_hh_l0", w_rec);
  set(network, "bias_ih_l0", Matrix(kUnits, 1));
  set(network, "bias_hh_l0", Matrix(kUnits, 1));
  const nn::Update update = nn::FocusedBackpropagation(network, half_squared_error(v))
                                .gradients(sequence(x, true), sequence(target, true));
  check_close(update.gradients[in].value(), dw_in, "W_in");
  check_close(update.gradients[rec].value(), dw_rec, "W_rec");
}
