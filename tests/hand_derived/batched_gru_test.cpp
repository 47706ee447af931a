// nn::GRU over a batch, backward by hand, element by element. n and m are as in batched.hpp, their
// columns in the blocks r, z, c (the candidate); h- is h one step before:
//
//   r = sigma(n_r + m_r)   z = sigma(n_z + m_z)   c = tanh(n_c + r m_c)   h = (1 - z) c + z h-
//
//   dz = dh (h- - c)         dn_z = dm_z = dz z (1 - z)
//   dc = dh (1 - z)          dn_c = dc (1 - c^2)           dm_c = dn_c r
//   dr = dn_c m_c            dn_r = dm_r = dr r (1 - r)
//   dh- = dh z + dm W_hh
#include "hand_derived/batched.hpp"

using namespace unroll;
using namespace plain;

namespace {

Layer gru_by_hand(Index steps) {
  Layer net(3, 1, steps);
  const Index hidden = net.hidden;
  std::vector<Matrix> gates, products;  // r, z, c and m of every step
  const auto h_before = [&](std::size_t t) -> const Matrix& {
    return t == 0 ? net.initial[0] : net.outputs[t - 1];
  };
  for (std::size_t t = 0; t < net.x.size(); ++t) {
    const Matrix n = Layer::affine(net.x[t], net.w_ih, net.b_ih);
    const Matrix m = Layer::affine(h_before(t), net.w_hh, net.b_hh);
    Matrix gate(net.batch, 3 * hidden);
    Matrix h(net.batch, hidden);
    for (Index i = 0; i < net.batch; ++i)
      for (Index j = 0; j < hidden; ++j) {
        const double r = plain::sigmoid(n(i, j) + m(i, j));
        const double z = plain::sigmoid(n(i, hidden + j) + m(i, hidden + j));
        const double c = std::tanh(n(i, 2 * hidden + j) + r * m(i, 2 * hidden + j));
        gate(i, j) = r;
        gate(i, hidden + j) = z;
        gate(i, 2 * hidden + j) = c;
        h(i, j) = (1.0 - z) * c + z * h_before(t)(i, j);
      }
    gates.push_back(gate);
    products.push_back(m);
    net.outputs.push_back(h);
  }
  net.last = {net.outputs.back()};

  Matrix dh = net.q[0];
  for (std::size_t t = net.x.size(); t-- > 0;) {
    dh = dh + net.r[t];
    Matrix dn(net.batch, 3 * hidden);
    Matrix dm(net.batch, 3 * hidden);
    Matrix direct(net.batch, hidden);
    for (Index i = 0; i < net.batch; ++i)
      for (Index j = 0; j < hidden; ++j) {
        const double r = gates[t](i, j);
        const double z = gates[t](i, hidden + j);
        const double c = gates[t](i, 2 * hidden + j);
        const double slope = dh(i, j);
        dn(i, 2 * hidden + j) = slope * (1.0 - z) * (1.0 - c * c);
        dm(i, 2 * hidden + j) = dn(i, 2 * hidden + j) * r;
        dn(i, j) = dn(i, 2 * hidden + j) * products[t](i, 2 * hidden + j) * r * (1.0 - r);
        dm(i, j) = dn(i, j);
        dn(i, hidden + j) = slope * (h_before(t)(i, j) - c) * z * (1.0 - z);
        dm(i, hidden + j) = dn(i, hidden + j);
        direct(i, j) = slope * z;
      }
    dh = direct + net.back_through_products(t, h_before(t), dn, dm);
  }
  net.dinitial = {dh};
  return net;
}

}  // namespace

TEST_CASE("nn::GRU under nn::Recurrent equals a hand-written batched GRU") {
  for (Index steps : {1, 2, 7}) {
    CAPTURE(steps);
    check_against_tape(nn::Recurrent(nn::GRU(3, 4)), gru_by_hand(steps));
  }
}
