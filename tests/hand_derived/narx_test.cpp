// NARX of 001_7fa6a7ec02051579.txt, "NARX Networks",
//
//   y(t) = g(y(t-1), ..., y(t-Ty), x(t), ..., x(t-Tx))
//
// with one hidden layer as g:
//
//   s(t) = sum_{k=0}^{Tx} W_k x(t-k) + sum_{k=1}^{Ty} R_k y(t-k) + b    y(t) = V tanh(s(t)) + c
//
// where x and y are 0 before the first step. For L = sum_t <r(t), y(t)>:
//
//   dy(t) = r(t) + sum_{k=1}^{Ty} R_k^T ds(t+k)
//   ds(t) = (1 - tanh(s(t))^2) (.) V^T dy(t)
//   dW_k = sum ds(t) x(t-k)^T    dR_k = sum ds(t) y(t-k)^T    dx(t) = sum_k W_k^T ds(t+k)
//
// In open loop, for t <= F, the delay line holds the target d(t) in place of y(t); the sum is then
// missing from dy(t).
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/cells/jordan.hpp>
#include <nn/cells/narx.hpp>
#include <nn/recurrent/recurrent.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 2;
constexpr Index kHidden = 4;
constexpr Index kOutputs = 3;
constexpr Index kSteps = 7;
constexpr std::size_t kTy = 3;
constexpr std::size_t kTx = 2;

struct ByHand {
  std::vector<Matrix> w = samples(kTx + 1, kHidden, kInputs, 1);
  std::vector<Matrix> r = samples(kTy, kHidden, kOutputs, 2);  // r[k - 1] is R_k
  Matrix v = sample(kOutputs, kHidden, 3);
  Matrix b = sample(kHidden, 1, 4);
  Matrix c = sample(kOutputs, 1, 5);
  std::vector<Matrix> x = samples(kSteps, kInputs, 1, 6);
  std::vector<Matrix> targets = samples(kSteps, kOutputs, 1, 7);
  std::vector<Matrix> slope_of_y = samples(kSteps, kOutputs, 1, 8);
  std::vector<Matrix> a, y, ds{kSteps}, dx;
  std::vector<Matrix> dw{kTx + 1, Matrix(kHidden, kInputs)};
  std::vector<Matrix> dr{kTy, Matrix(kHidden, kOutputs)};
  Matrix dv{kOutputs, kHidden}, db{kHidden, 1}, dc{kOutputs, 1};

  explicit ByHand(std::size_t forced) {
    const auto fed_back = [&](std::size_t t) { return t < forced ? targets[t] : y[t]; };
    for (std::size_t t = 0; t < x.size(); ++t) {
      Matrix s = b;
      for (std::size_t k = 0; k <= kTx && k <= t; ++k) s = s + product(w[k], x[t - k]);
      for (std::size_t k = 1; k <= kTy && k <= t; ++k) s = s + product(r[k - 1], fed_back(t - k));
      a.push_back(map([](double p) { return std::tanh(p); }, s));
      y.push_back(product(v, a[t]) + c);
    }
    for (std::size_t t = x.size(); t-- > 0;) {
      Matrix dy = slope_of_y[t];
      for (std::size_t k = 1; k <= kTy && t + k < x.size() && t >= forced; ++k)
        dy = dy + product(transposed(r[k - 1]), ds[t + k]);
      ds[t] = hadamard(map([](double p) { return 1.0 - p * p; }, a[t]), product(transposed(v), dy));
      dv = dv + outer(dy, a[t]);
      dc = dc + dy;
      db = db + ds[t];
      for (std::size_t k = 0; k <= kTx && k <= t; ++k) dw[k] = dw[k] + outer(ds[t], x[t - k]);
      for (std::size_t k = 1; k <= kTy && k <= t; ++k)
        dr[k - 1] = dr[k - 1] + outer(ds[t], fed_back(t - k));
    }
    for (std::size_t t = 0; t < x.size(); ++t) {
      dx.push_back(Matrix(kInputs, 1));
      for (std::size_t k = 0; k <= kTx && t + k < x.size(); ++k)
        dx[t] = dx[t] + product(transposed(w[k]), ds[t + k]);
    }
  }
};

/// Matrices side by side: the weight of a whole delay line.
Matrix beside(const std::vector<Matrix>& parts) {
  Matrix all(parts[0].rows, 0);
  for (const Matrix& part : parts) {
    Matrix wider(all.rows, all.columns + part.columns);
    for (Index i = 0; i < all.rows; ++i) {
      for (Index j = 0; j < all.columns; ++j) wider(i, j) = all(i, j);
      for (Index j = 0; j < part.columns; ++j) wider(i, all.columns + j) = part(i, j);
    }
    all = wider;
  }
  return all;
}

void check_network(Index forced) {
  const ByHand hand(static_cast<std::size_t>(forced));
  nn::Recurrent network(
      nn::NARX(kInputs, kHidden, kOutputs, {.output_delays = kTy, .input_delays = kTx}));
  const Parameter w = set(network, "input.weight_l0", hand.w[0]);
  const Parameter d = set(network, "delayed.weight_l0", beside({hand.w[1], hand.w[2]}));
  const Parameter r = set(network, "feedback.weight_l0", beside(hand.r));
  const Parameter v = set(network, "readout.weight_l0", hand.v);
  const Parameter b = set(network, "input.bias_l0", hand.b);
  const Parameter c = set(network, "readout.bias_l0", hand.c);

  Tape tape;
  const Variable x = tape.watch(sequence(hand.x, true));
  nn::UnrollOptions options;
  if (forced > 0) options.targets = sequence(hand.targets, true).slice(0, 0, forced);
  const Variable y = network(x, {}, options).outputs;
  for (Index t = 0; t < kSteps; ++t)
    check_close(y.value().select(0, t), hand.y[static_cast<std::size_t>(t)], "y(t)");
  const Gradients gradients = tape.gradients(sum(y * Variable(sequence(hand.slope_of_y, true))));
  check_close(gradients[w].value(), hand.dw[0], "W_0");
  check_close(gradients[d].value(), beside({hand.dw[1], hand.dw[2]}), "W_1 and W_2");
  check_close(gradients[r].value(), beside(hand.dr), "R");
  check_close(gradients[v].value(), hand.dv, "V");
  check_close(gradients[b].value(), hand.db, "b");
  check_close(gradients[c].value(), hand.dc, "c");
  for (Index t = 0; t < kSteps; ++t)
    check_close(gradients[x].value().select(0, t), hand.dx[static_cast<std::size_t>(t)], "x(t)");
}

}  // namespace

TEST_CASE("NARX in closed loop has the gradients derived by hand") { check_network(0); }
TEST_CASE("NARX in open loop has the gradients derived by hand") { check_network(kSteps); }
TEST_CASE("NARX warmed up, then forecasting, has the gradients derived by hand") {
  check_network(4);
}

TEST_CASE("NARX with Ty = 1 and Tx = 0 is the Jordan network") {
  nn::Recurrent narx(nn::NARX(kInputs, kHidden, kOutputs, {.output_activation = sigmoid}));
  nn::Recurrent jordan(nn::Jordan(kInputs, kHidden, kOutputs, {.output_activation = sigmoid}));
  const auto of_narx = narx.named_parameters();
  REQUIRE(of_narx.size() == jordan.named_parameters().size());
  for (std::size_t k = 0; k < of_narx.size(); ++k) {
    CHECK(of_narx[k].name == jordan.named_parameters()[k].name);
    jordan.named_parameters()[k].parameter.set(of_narx[k].parameter.value());
  }
  narx.to(Dtype::float64);
  jordan.to(Dtype::float64);
  const Tensor x = sequence(samples(kSteps, 2, kInputs, 9));
  const auto run = [&](const nn::Recurrent& rnn) {
    Tape tape;
    const Variable y = rnn(x).outputs;
    std::vector<std::vector<double>> all{y.value().to_vector<double>()};
    const Gradients gradients = tape.gradients(sum(square(y)));
    for (const Parameter& parameter : rnn.parameters())
      all.push_back(gradients[parameter].value().to_vector<double>());
    return all;
  };
  CHECK(run(narx) == run(jordan));
}
