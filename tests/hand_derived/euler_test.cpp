// Euler's method as a recurrent network, 004_f35a51dda55cb382.txt, "Example":
//
//   m s'' = -k s + A cos t      s_{t+1} = s_t + h v_t
//                               v_{t+1} = v_t + h (A/m cos t - k/m s_t)
//
// With p = k/m, q = A/m and L = sum_n r_n s_n over n = 1..N, backward through both equations:
//
//   ds_n = r_n + ds_{n+1} - h p dv_{n+1}           dv_n = dv_{n+1} + h ds_{n+1}
//   dp = - sum h s_n dv_{n+1}                      dq = sum h cos(t_n) dv_{n+1}
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

/// The lecture's right-hand side, with its two parameters.
class ForcedOscillator : public nn::Module {
 public:
  ForcedOscillator(double p, double q)
      : p_(parameter("p", full({}, p, Dtype::float64))),
        q_(parameter("q", full({}, q, Dtype::float64))) {}

  Variable operator()(const Variable& state, const Variable& t, const Variable&) const {
    auto [s, v] = split<2>(state);
    return concat({v, Variable(q_) * cos(t) - Variable(p_) * s});
  }

 private:
  Parameter p_, q_;
};

}  // namespace

TEST_CASE("the forced oscillator under Euler's method has the gradients derived by hand") {
  const double p = 1.7;
  const double q = 0.6;
  const double h = 0.05;
  const double start = 0.3;
  const std::size_t steps = 40;
  const Matrix r = sample(static_cast<Index>(steps), 1, 1);

  std::vector<double> s{0.4};
  std::vector<double> v{-0.2};
  std::vector<double> time{start};
  for (std::size_t n = 0; n < steps; ++n) {
    s.push_back(s[n] + h * v[n]);
    v.push_back(v[n] + h * (q * std::cos(time[n]) - p * s[n]));
    time.push_back(time[n] + h);
  }
  double ds = 0.0;
  double dv = 0.0;
  double dp = 0.0;
  double dq = 0.0;
  for (std::size_t n = steps; n-- > 0;) {
    ds += r(static_cast<Index>(n));  // the slope of s_{n+1} is complete here
    dp -= h * s[n] * dv;
    dq += h * std::cos(time[n]) * dv;
    const double ds_before = ds - h * p * dv;
    dv = dv + h * ds;
    ds = ds_before;
  }

  nn::Recurrent network(nn::Euler(1, 2, ForcedOscillator(p, q), {.step = h, .start = start}));
  REQUIRE(network.named_parameters().size() == 2);
  CHECK(network.named_parameters()[0].name == "g.p_l0");
  Tape tape;
  const Variable initial = tape.watch(Tensor::of({1, 2}, {0.4, -0.2}));
  const auto [outputs, last] = network(zeros({static_cast<Index>(steps), 1, 1}, Dtype::float64),
                                       {initial, full({1, 1}, start, Dtype::float64)});
  for (std::size_t n = 0; n < steps; ++n) {
    CHECK(outputs.value().at({static_cast<Index>(n), 0, 0}) ==
          doctest::Approx(s[n + 1]).epsilon(1e-13));
    CHECK(outputs.value().at({static_cast<Index>(n), 0, 1}) ==
          doctest::Approx(v[n + 1]).epsilon(1e-13));
  }
  const Variable positions = reshape(slice(outputs, 2, 0, 1), {-1, 1});
  const Gradients gradients = tape.gradients(sum(positions * Variable(tensor(r))));
  CHECK(gradients[network.parameters()[0]].item() == doctest::Approx(dp).epsilon(1e-12));
  CHECK(gradients[network.parameters()[1]].item() == doctest::Approx(dq).epsilon(1e-12));
  Matrix first(1, 2);
  first.values = {ds, dv};
  check_close(gradients[initial].value(), first, "s_0 and v_0");
}
