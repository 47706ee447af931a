// The two losses of 002_f7218ae54f6eb7a7.txt, "Loss function", with the slide's hat on the target:
//
//   E = 1/2 sum_t sum_k (^y_tk - y_tk)^2
//   E = - sum_t sum_k [ ^y_tk ln y_tk + (1 - ^y_tk) ln(1 - y_tk) ]
//
// over the recurrent network of the same lecture, h_t = tanh(b + W h_{t-1} + U x_t), o_t = c + V
// h_t. The first is for outputs y = o, the second for y = sigma(o). With sigma' = y (1 - y),
//
//   squared error:  dE/do = y - ^y
//   cross-entropy:  dE/dy = -^y/y + (1 - ^y)/(1 - y) = (y - ^y) / (y (1 - y)),  so  dE/do = y - ^y
//
// for each t and k: one formula for both. From there on, from the last t to the first,
//
//   dE/dh_t = V^T dE/do_t + W^T dE/da_{t+1}      dE/da_t = (1 - h_t^2) (.) dE/dh_t
//   dE/dV = sum dE/do_t h_t^T    dE/dW = sum dE/da_t h_{t-1}^T    dE/dU = sum dE/da_t x_t^T
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 3;
constexpr Index kHidden = 4;
constexpr Index kOutputs = 2;
constexpr std::size_t kSteps = 5;

struct ByHand {
  Matrix u = sample(kHidden, kInputs, 1);
  Matrix w = sample(kHidden, kHidden, 2);
  Matrix v = sample(kOutputs, kHidden, 3);
  Matrix b = sample(kHidden, 1, 4);
  Matrix c = sample(kOutputs, 1, 5);
  std::vector<Matrix> x = samples(kSteps, kInputs, 1, 6);
  std::vector<Matrix> target;  // between 0 and 1
  std::vector<Matrix> o, y;
  double error = 0.0;
  std::vector<Matrix> d_o;
  Matrix du{kHidden, kInputs}, dw{kHidden, kHidden}, dv{kOutputs, kHidden};

  /// `f` makes y of o, `loss` that of one output.
  ByHand(double (*f)(double), double (*loss)(double target, double y)) {
    for (const Matrix& s : samples(kSteps, kOutputs, 1, 7))
      target.push_back(map([](double p) { return 0.5 + 0.5 * p; }, s));
    std::vector<Matrix> h;
    const Matrix start(kHidden, 1);
    for (std::size_t t = 0; t < kSteps; ++t) {
      const Matrix a = b + product(w, t == 0 ? start : h[t - 1]) + product(u, x[t]);
      h.push_back(map([](double p) { return std::tanh(p); }, a));
      o.push_back(c + product(v, h[t]));
      y.push_back(map(f, o[t]));
      for (Index k = 0; k < kOutputs; ++k) error += loss(target[t](k), y[t](k));
      d_o.push_back(y[t] - target[t]);
    }
    Matrix from_next(kHidden, 1);  // W^T dE/da_{t+1}
    for (std::size_t t = kSteps; t-- > 0;) {
      const Matrix dh = product(transposed(v), d_o[t]) + from_next;
      const Matrix da = hadamard(map([](double p) { return 1.0 - p * p; }, h[t]), dh);
      dv = dv + outer(d_o[t], h[t]);
      dw = dw + outer(da, t == 0 ? start : h[t - 1]);
      du = du + outer(da, x[t]);
      from_next = product(transposed(w), da);
    }
  }
};

/// The same with the library's parts; `loss` is that of o and the targets.
void check_on_the_tape(const ByHand& hand, Variable (*loss)(const Variable& o, const Tensor& t)) {
  const nn::Recurrent hidden(nn::Elman(kInputs, kHidden));
  const nn::Linear readout(kHidden, kOutputs);
  const Parameter u = set(hidden, "weight_ih_l0", hand.u);
  const Parameter w = set(hidden, "weight_hh_l0", hand.w);
  set(hidden, "bias_ih_l0", hand.b);
  set(hidden, "bias_hh_l0", Matrix(kHidden, 1));
  const Parameter v = set(readout, "weight", hand.v);
  set(readout, "bias", hand.c);

  Tape tape;
  const Variable o = readout(hidden(sequence(hand.x, true)).outputs);
  const Variable error = loss(o, sequence(hand.target, true));
  CHECK(error.item() == doctest::Approx(hand.error).epsilon(1e-13));
  const Gradients gradients = tape.gradients(error, {.of = {o}});
  for (std::size_t t = 0; t < kSteps; ++t)
    check_close(gradients[o].value().select(0, static_cast<Index>(t)), hand.d_o[t], "dE/do");
  check_close(gradients[v].value(), hand.dv, "V");
  check_close(gradients[w].value(), hand.dw, "W");
  check_close(gradients[u].value(), hand.du, "U");
}

ByHand cross_entropy_by_hand() {
  return {plain::sigmoid, [](double target, double y) {
            return -target * std::log(y) - (1.0 - target) * std::log(1.0 - y);
          }};
}

}  // namespace

TEST_CASE("half the summed mse_loss is the slide's squared error, with the gradients by hand") {
  const ByHand hand([](double o) { return o; },
                    [](double target, double y) { return 0.5 * (target - y) * (target - y); });
  check_on_the_tape(hand, [](const Variable& o, const Tensor& targets) {
    return 0.5 * mse_loss(o, targets, {.reduction = Reduction::sum});
  });
}

TEST_CASE("binary cross-entropy of y = sigma(o) is the slide's, with the gradients by hand") {
  check_on_the_tape(cross_entropy_by_hand(), [](const Variable& o, const Tensor& targets) {
    return binary_cross_entropy(sigmoid(o), targets, {.reduction = Reduction::sum});
  });
}

TEST_CASE("binary cross-entropy from the logits o is the slide's, with the gradients by hand") {
  check_on_the_tape(cross_entropy_by_hand(), [](const Variable& o, const Tensor& targets) {
    return binary_cross_entropy_with_logits(o, targets, {.reduction = Reduction::sum});
  });
}
