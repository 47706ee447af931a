// nn::LSTM over a batch, backward by hand, element by element. The blocks of columns of n + m
// (batched.hpp) are i, f, g, o; c- is c one step before:
//
//   i, f, o = sigma(...)       g = tanh(...)               c = f c- + i g      h = o tanh(c)
//
//   dc += dh o (1 - tanh(c)^2)                             dn_o = dh tanh(c) o (1 - o)
//   dn_i = dc g i (1 - i)      dn_f = dc c- f (1 - f)      dn_g = dc i (1 - g^2)
//   dm = dn                    dc- = dc f                  dh- = dm W_hh
#include "hand_derived/batched.hpp"

using namespace unroll;
using namespace plain;

namespace {

Layer lstm_by_hand(Index steps) {
  Layer net(4, 2, steps);
  const Index hidden = net.hidden;
  std::vector<Matrix> gates, cells;  // i, f, g, o and c of every step
  const auto h_before = [&](std::size_t t) -> const Matrix& {
    return t == 0 ? net.initial[0] : net.outputs[t - 1];
  };
  const auto c_before = [&](std::size_t t) -> const Matrix& {
    return t == 0 ? net.initial[1] : cells[t - 1];
  };
  for (std::size_t t = 0; t < net.x.size(); ++t) {
    const Matrix a = Layer::affine(net.x[t], net.w_ih, net.b_ih) +
                     Layer::affine(h_before(t), net.w_hh, net.b_hh);
    Matrix gate(net.batch, 4 * hidden);
    Matrix c(net.batch, hidden);
    Matrix h(net.batch, hidden);
    for (Index b = 0; b < net.batch; ++b)
      for (Index j = 0; j < hidden; ++j) {
        const double i = gate(b, j) = plain::sigmoid(a(b, j));
        const double f = gate(b, hidden + j) = plain::sigmoid(a(b, hidden + j));
        const double g = gate(b, 2 * hidden + j) = std::tanh(a(b, 2 * hidden + j));
        const double o = gate(b, 3 * hidden + j) = plain::sigmoid(a(b, 3 * hidden + j));
        c(b, j) = f * c_before(t)(b, j) + i * g;
        h(b, j) = o * std::tanh(c(b, j));
      }
    gates.push_back(gate);
    cells.push_back(c);
    net.outputs.push_back(h);
  }
  net.last = {net.outputs.back(), cells.back()};

  Matrix dh = net.q[0];
  Matrix dc = net.q[1];
  for (std::size_t t = net.x.size(); t-- > 0;) {
    dh = dh + net.r[t];
    Matrix dn(net.batch, 4 * hidden);
    for (Index b = 0; b < net.batch; ++b)
      for (Index j = 0; j < hidden; ++j) {
        const double i = gates[t](b, j);
        const double f = gates[t](b, hidden + j);
        const double g = gates[t](b, 2 * hidden + j);
        const double o = gates[t](b, 3 * hidden + j);
        const double squashed = std::tanh(cells[t](b, j));
        dc(b, j) += dh(b, j) * o * (1.0 - squashed * squashed);
        dn(b, j) = dc(b, j) * g * i * (1.0 - i);
        dn(b, hidden + j) = dc(b, j) * c_before(t)(b, j) * f * (1.0 - f);
        dn(b, 2 * hidden + j) = dc(b, j) * i * (1.0 - g * g);
        dn(b, 3 * hidden + j) = dh(b, j) * squashed * o * (1.0 - o);
        dc(b, j) *= f;
      }
    dh = net.back_through_products(t, h_before(t), dn, dn);
  }
  net.dinitial = {dh, dc};
  return net;
}

}  // namespace

TEST_CASE("nn::LSTM under nn::Recurrent equals a hand-written batched LSTM") {
  for (Index steps : {1, 2, 7}) {
    CAPTURE(steps);
    check_against_tape(nn::Recurrent(nn::LSTM(3, 4)), lstm_by_hand(steps));
  }
}
