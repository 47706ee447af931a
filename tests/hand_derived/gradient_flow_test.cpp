// Vanishing and exploding gradients, 002_f7218ae54f6eb7a7.txt, "Issues in gradient". For the Elman
// network h_i = tanh(W h_{i-1} + U x_i), with a row for each element of h_i,
//
//   dh_i/dh_{i-1} = diag(1 - h_i^2) W          dh_t/dh_k = prod_{i=k+1}^{t} dh_i/dh_{i-1}
//   |dh_t/dh_k| <= (lambda_W lambda_phi)^{t-k},  lambda_W = |W|, lambda_phi = max tanh' = 1
//
// and the gradient of E = sum_t 1/2 |h_t - d_t|^2, from the end to the beginning:
//
//   dE/dh_k = h_k - d_k + W^T diag(1 - h_{k+1}^2) dE/dh_{k+1}
//
// Two units, as the largest singular value of a 2 x 2 matrix A is known in closed form: the
// eigenvalues of A^T A have the sum s = |A|_F^2 and the product (det A)^2, so the square of the
// larger is (s + sqrt(s^2 - 4 (det A)^2)) / 2.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include "hand_derived/plain.hpp"

using namespace unroll;
using namespace plain;

namespace {

constexpr Index kInputs = 3;
constexpr Index kSteps = 8;

double squares(const Matrix& a) {
  double sum = 0.0;
  for (double value : a.values) sum += value * value;
  return sum;
}

double largest_singular_value(const Matrix& a) {
  const double s = squares(a);
  const double det = a(0, 0) * a(1, 1) - a(0, 1) * a(1, 0);
  return std::sqrt(0.5 * (s + std::sqrt(std::max(0.0, s * s - 4.0 * det * det))));
}

Matrix slopes(const Matrix& h) {
  return map([](double p) { return 1.0 - p * p; }, h);
}

}  // namespace

TEST_CASE("norms, bound and loss gradients of an Elman network are those of the formula") {
  for (double scale : {0.5, 3.0}) {
    const Matrix u = sample(2, kInputs, 1);
    const Matrix w = scale * sample(2, 2, 2);
    const Matrix h0 = sample(2, 1, 3);
    const std::vector<Matrix> x = samples(kSteps, kInputs, 1, 4);
    const std::vector<Matrix> d = samples(kSteps, 2, 1, 5);

    std::vector<Matrix> h{h0};
    for (const Matrix& input : x)
      h.push_back(
          map([](double a) { return std::tanh(a); }, product(w, h.back()) + product(u, input)));

    nn::Recurrent network(nn::Elman(kInputs, 2));
    set(network, "weight_ih_l0", u);
    const Parameter w_hh = set(network, "weight_hh_l0", w);
    set(network, "bias_ih_l0", Matrix(2, 1));
    set(network, "bias_hh_l0", Matrix(2, 1));
    const double lambda_w = nn::spectral_norm(w_hh.value());
    CHECK(lambda_w == doctest::Approx(largest_singular_value(w)).epsilon(1e-12));
    const nn::GradientFlow flow = nn::gradient_flow(
        network.cell(), sequence(x, true),
        {.state = {tensor(transposed(h0))},
         .loss = [](const Variable& output,
                    const Tensor& target) { return 0.5 * sum(square(output - Variable(target))); },
         .targets = sequence(d, true),
         .spectral_bound = lambda_w * 1.0});

    Matrix jacobian(2, 2);  // dh_T/dh_k
    jacobian(0, 0) = jacobian(1, 1) = 1.0;
    Matrix delta(2, 1);  // dE/dh_k
    for (Index lag = 0; lag <= kSteps; ++lag) {
      const auto k = static_cast<std::size_t>(kSteps - lag);
      if (lag > 0) {
        Matrix step = w;
        for (Index i = 0; i < 2; ++i)
          for (Index j = 0; j < 2; ++j) step(i, j) *= slopes(h[k + 1])(i);
        jacobian = product(jacobian, step);
        delta = product(transposed(step), delta);
      }
      if (k > 0) delta = delta + h[k] - d[k - 1];
      CHECK(flow.spectral.at({lag, 0}) ==
            doctest::Approx(largest_singular_value(jacobian)).epsilon(1e-12));
      CHECK(flow.frobenius.at({lag, 0}) ==
            doctest::Approx(std::sqrt(squares(jacobian))).epsilon(1e-12));
      CHECK(flow.loss_gradient.at({lag, 0}) ==
            doctest::Approx(std::sqrt(squares(delta))).epsilon(1e-12));
      const double bound = std::pow(largest_singular_value(w), double(lag));
      CHECK(flow.bound[static_cast<std::size_t>(lag)] == doctest::Approx(bound).epsilon(1e-12));
      CHECK(flow.spectral.at({lag, 0}) <= bound * (1.0 + 1e-12));
    }
  }
}
