// The LSTM of 002_f7218ae54f6eb7a7.txt, "Mathematical relation":
//
//   i_t = sigma(th_xi x_t + th_hi h_{t-1} + b_i)     g_t = tanh(th_xg x_t + th_hg h_{t-1} + b_g)
//   f_t = sigma(th_xf x_t + th_hf h_{t-1} + b_f)     c_t = f_t (.) c_{t-1} + i_t (.) g_t
//   o_t = sigma(th_xo x_t + th_ho h_{t-1} + b_o)     h_t = o_t (.) tanh(c_t)
//
// Backward, for t = T..1, of E = sum_t <r_t, h_t>. dh_t is r_t plus what t+1 sends back:
//
//   do_t = dh_t (.) tanh(c_t)        dc_t = dh_t (.) o_t (.) (1 - tanh(c_t)^2) + dc_{t+1} f_{t+1}
//   df_t = dc_t (.) c_{t-1}          di_t = dc_t (.) g_t          dg_t = dc_t (.) i_t
//
// through sigma' = s (1 - s) and tanh' = 1 - g^2 of the gates:
//
//   ei = di i (1 - i)     ef = df f (1 - f)     eo = do o (1 - o)     eg = dg (1 - g^2)
//
// and, summed over the gates k = i, f, g, o and over t where a slope belongs to all of them:
//
//   dth_xk = sum_t ek x_t^T          dth_hk = sum_t ek h_{t-1}^T          db_k = sum_t ek
//   dx_t = sum_k th_xk^T ek          dh_{t-1} = r_{t-1} + sum_k th_hk^T ek
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <array>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;
constexpr Index kSteps = 3;
constexpr std::size_t kI = 0, kF = 1, kG = 2, kO = 3;  // the order of the rows in nn::LSTM
constexpr std::array<const char*, 4> kNames{"i", "f", "g", "o"};

struct ByHand {
  std::array<Matrix, 4> theta_x, theta_h, b;
  std::vector<Matrix> x = samples(kSteps, kInputs, 1, 20);
  std::vector<Matrix> r = samples(kSteps, kHidden, 1, 21);
  Matrix h0 = sample(kHidden, 1, 22);
  Matrix c0 = sample(kHidden, 1, 23);

  std::array<std::vector<Matrix>, 4> gate;  // i_t, f_t, g_t, o_t
  std::vector<Matrix> c, h;

  std::array<Matrix, 4> dtheta_x, dtheta_h, db;
  std::array<std::vector<Matrix>, 4> dgate;  // di_t, df_t, dg_t, do_t
  std::vector<Matrix> dx, dc_all, dh_all;
  Matrix dh0, dc0;

  ByHand() {
    for (unsigned k = 0; k < 4; ++k) {
      theta_x[k] = sample(kHidden, kInputs, 1 + k);
      theta_h[k] = sample(kHidden, kHidden, 5 + k);
      b[k] = sample(kHidden, 1, 9 + k);
      dtheta_x[k] = Matrix(kHidden, kInputs);
      dtheta_h[k] = Matrix(kHidden, kHidden);
      db[k] = Matrix(kHidden, 1);
      dgate[k].resize(kSteps);
    }
    forward();
    backward();
  }

  const Matrix& h_before(std::size_t t) const { return t == 0 ? h0 : h[t - 1]; }
  const Matrix& c_before(std::size_t t) const { return t == 0 ? c0 : c[t - 1]; }

  void forward() {
    for (std::size_t t = 0; t < x.size(); ++t) {
      for (std::size_t k = 0; k < 4; ++k) {
        const Matrix net = product(theta_x[k], x[t]) + product(theta_h[k], h_before(t)) + b[k];
        gate[k].push_back(
            map([k](double p) { return k == kG ? std::tanh(p) : plain::sigmoid(p); }, net));
      }
      c.push_back(hadamard(gate[kF][t], c_before(t)) + hadamard(gate[kI][t], gate[kG][t]));
      h.push_back(hadamard(gate[kO][t], map([](double p) { return std::tanh(p); }, c[t])));
    }
  }

  void backward() {
    dx.resize(x.size());
    dc_all.resize(x.size());
    dh_all.resize(x.size());
    Matrix dh(kHidden, 1);
    Matrix dc(kHidden, 1);
    for (std::size_t t = x.size(); t-- > 0;) {
      const Matrix tanh_c = map([](double p) { return std::tanh(p); }, c[t]);
      dh = dh + r[t];
      dc = dc +
           hadamard(hadamard(dh, gate[kO][t]), map([](double p) { return 1.0 - p * p; }, tanh_c));
      dh_all[t] = dh;
      dc_all[t] = dc;
      dgate[kO][t] = hadamard(dh, tanh_c);
      dgate[kF][t] = hadamard(dc, c_before(t));
      dgate[kI][t] = hadamard(dc, gate[kG][t]);
      dgate[kG][t] = hadamard(dc, gate[kI][t]);
      dc = hadamard(dc, gate[kF][t]);
      dh = Matrix(kHidden, 1);
      dx[t] = Matrix(kInputs, 1);
      for (std::size_t k = 0; k < 4; ++k) {
        const auto slope = [k](double p) { return k == kG ? 1.0 - p * p : p * (1.0 - p); };
        const Matrix e = hadamard(dgate[k][t], map(slope, gate[k][t]));
        dtheta_x[k] = dtheta_x[k] + outer(e, x[t]);
        dtheta_h[k] = dtheta_h[k] + outer(e, h_before(t));
        db[k] = db[k] + e;
        dx[t] = dx[t] + product(transposed(theta_x[k]), e);
        dh = dh + product(transposed(theta_h[k]), e);
      }
    }
    dh0 = dh;
    dc0 = dc;
  }
};

/// Rows of the four gates below each other, as nn::LSTM keeps them.
Matrix stacked(const std::array<Matrix, 4>& parts) {
  Matrix all(4 * parts[0].rows, parts[0].columns);
  auto to = all.values.begin();
  for (const Matrix& part : parts) to = std::copy(part.values.begin(), part.values.end(), to);
  return all;
}

}  // namespace

TEST_CASE("the six equations, written with operations, have the gradients derived by hand") {
  const ByHand hand;
  Tape tape;
  std::array<Variable, 4> theta_x, theta_h, b;
  for (std::size_t k = 0; k < 4; ++k) {
    theta_x[k] = tape.watch(tensor(hand.theta_x[k]));
    theta_h[k] = tape.watch(tensor(hand.theta_h[k]));
    b[k] = tape.watch(tensor(hand.b[k]));
  }
  const Variable h0 = tape.watch(tensor(hand.h0));
  const Variable c0 = tape.watch(tensor(hand.c0));
  std::vector<Variable> x, c, h;
  std::array<std::vector<Variable>, 4> gate;
  Variable error;
  GradientOptions options;
  for (std::size_t t = 0; t < hand.x.size(); ++t) {
    x.push_back(tape.watch(tensor(hand.x[t])));
    for (std::size_t k = 0; k < 4; ++k) {
      const Variable net =
          matmul(theta_x[k], x[t]) + matmul(theta_h[k], t == 0 ? h0 : h[t - 1]) + b[k];
      gate[k].push_back(k == kG ? tanh(net) : sigmoid(net));
      options.of.push_back(gate[k][t]);
    }
    c.push_back(gate[kF][t] * (t == 0 ? c0 : c[t - 1]) + gate[kI][t] * gate[kG][t]);
    h.push_back(gate[kO][t] * tanh(c[t]));
    options.of.push_back(c[t]);
    options.of.push_back(h[t]);
    const Variable term = sum(h[t] * Variable(tensor(hand.r[t])));
    error = t == 0 ? term : error + term;
  }
  const Gradients gradients = tape.gradients(error, options);
  for (std::size_t k = 0; k < 4; ++k) {
    CAPTURE(kNames[k]);
    check_close(gradients[theta_x[k]].value(), hand.dtheta_x[k], "theta_x");
    check_close(gradients[theta_h[k]].value(), hand.dtheta_h[k], "theta_h");
    check_close(gradients[b[k]].value(), hand.db[k], "b");
    for (std::size_t t = 0; t < hand.x.size(); ++t)
      check_close(gradients[gate[k][t]].value(), hand.dgate[k][t], "gate");
  }
  for (std::size_t t = 0; t < hand.x.size(); ++t) {
    CAPTURE(t);
    check_close(gradients[c[t]].value(), hand.dc_all[t], "c_t");
    check_close(gradients[h[t]].value(), hand.dh_all[t], "h_t");
    check_close(gradients[x[t]].value(), hand.dx[t], "x_t");
  }
  check_close(gradients[h0].value(), hand.dh0, "h_0");
  check_close(gradients[c0].value(), hand.dc0, "c_0");
}

TEST_CASE("nn::LSTM computes the six equations and their hand-derived gradients") {
  const ByHand hand;
  nn::Recurrent lstm(nn::LSTM(kInputs, kHidden));
  const Parameter theta_x = set(lstm, "weight_ih_l0", stacked(hand.theta_x));
  const Parameter theta_h = set(lstm, "weight_hh_l0", stacked(hand.theta_h));
  const Parameter b = set(lstm, "bias_ih_l0", stacked(hand.b));
  set(lstm, "bias_hh_l0", Matrix(4 * kHidden, 1));

  Tape tape;
  const auto [h, state] =
      lstm(sequence(hand.x, true), {tensor(transposed(hand.h0)), tensor(transposed(hand.c0))});
  for (std::size_t t = 0; t < hand.x.size(); ++t)
    check_close(h.value().select(0, static_cast<Index>(t)), hand.h[t], "h_t");
  check_close(state[0].value(), hand.h.back(), "h_T");
  check_close(state[1].value(), hand.c.back(), "c_T");

  const Gradients gradients = tape.gradients(sum(h * Variable(sequence(hand.r, true))));
  check_close(gradients[theta_x].value(), stacked(hand.dtheta_x), "theta_x");
  check_close(gradients[theta_h].value(), stacked(hand.dtheta_h), "theta_h");
  check_close(gradients[b].value(), stacked(hand.db), "b");
}
