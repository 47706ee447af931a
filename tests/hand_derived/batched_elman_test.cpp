// nn::Elman over a batch, backward by hand, element by element:
//
//   h = tanh(n + m)    dn = dm = dh (1 - h^2)
//
// with n, m and everything behind them as in batched.hpp.
#include "hand_derived/batched.hpp"

using namespace unroll;
using namespace plain;

namespace {

Layer elman_by_hand(Index steps) {
  Layer net(1, 1, steps);
  const auto h_before = [&](std::size_t t) -> const Matrix& {
    return t == 0 ? net.initial[0] : net.outputs[t - 1];
  };
  for (std::size_t t = 0; t < net.x.size(); ++t)
    net.outputs.push_back(map([](double p) { return std::tanh(p); },
                              Layer::affine(net.x[t], net.w_ih, net.b_ih) +
                                  Layer::affine(h_before(t), net.w_hh, net.b_hh)));
  net.last = {net.outputs.back()};

  Matrix dh = net.q[0];
  for (std::size_t t = net.x.size(); t-- > 0;) {
    dh = dh + net.r[t];
    const Matrix dn = hadamard(dh, map([](double p) { return 1.0 - p * p; }, net.outputs[t]));
    dh = net.back_through_products(t, h_before(t), dn, dn);
  }
  net.dinitial = {dh};
  return net;
}

}  // namespace

TEST_CASE("nn::Elman under nn::Recurrent equals a hand-written batched Elman network") {
  for (Index steps : {1, 2, 7}) {
    CAPTURE(steps);
    check_against_tape(nn::Recurrent(nn::Elman(3, 4)), elman_by_hand(steps));
  }
}
