#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <cmath>
#include <complex>
#include <cstddef>
#include <vector>

#include "support/expect.hpp"
#include "support/linear_cells.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// The normal part of HiPPO-LegS (Smith et al., 2023, appendix B.1): -1/2 on the diagonal, and
/// -+sqrt((n + 1/2) (k + 1/2)) below and above it.
Tensor normal_hippo(Index size) {
  std::vector<double> elements;
  for (Index n = 0; n < size; ++n)
    for (Index k = 0; k < size; ++k) {
      const double root =
          std::sqrt((static_cast<double>(n) + 0.5) * (static_cast<double>(k) + 0.5));
      elements.push_back(n == k ? -0.5 : n > k ? -root : root);
    }
  return Tensor::of({size, size}, elements);
}

}  // namespace

TEST_CASE("an S5 computes the equations of the paper") {
  constexpr Index kSteps = 5, kBatch = 2, kInputs = 3, kHidden = 4;
  const nn::Recurrent rnn =
      wide(nn::Recurrent(nn::S5(kInputs, kHidden, {.min_delta = 0.1, .max_delta = 0.5})));
  const Tensor x = random({kSteps, kBatch, kInputs}, 1);
  const auto lambda = complex_matrix(numbers_of(rnn, "lambda"));
  const auto b = complex_matrix(numbers_of(rnn, "B")), c = complex_matrix(numbers_of(rnn, "C"));
  const auto d = numbers_of(rnn, "D"), log_delta = numbers_of(rnn, "log_delta");
  const auto [outputs, state] = rnn(x);
  CHECK(outputs.shape() == Shape{kSteps, kBatch, kInputs});
  CHECK(state[0].shape() == Shape{kBatch, 2, kHidden});
  for (Index s = 0; s < kBatch; ++s) {
    std::vector<std::complex<double>> h(kHidden);
    for (Index t = 0; t < kSteps; ++t) {
      const std::vector<double> xt = input_at(x, t, s);
      for (std::size_t k = 0; k < kHidden; ++k) {
        const std::complex<double> decay = std::exp(lambda[k] * std::exp(log_delta[k]));
        std::complex<double> bx = 0.0;
        for (std::size_t i = 0; i < kInputs; ++i) bx += b[k * kInputs + i] * xt[i];
        h[k] = decay * h[k] + (decay - 1.0) / lambda[k] * bx;
      }
      for (std::size_t o = 0; o < kInputs; ++o) {
        std::complex<double> ch = 0.0;
        for (std::size_t k = 0; k < kHidden; ++k) ch += c[o * kHidden + k] * h[k];
        const double y = 2.0 * ch.real() + d[o] * xt[o];
        CHECK(distance(outputs.value().at({t, s, static_cast<Index>(o)}), y) < 1e-12);
      }
    }
  }
}

TEST_CASE("an S5 keeps the contract, in all forms") {
  const nn::CellReport report = nn::check_cell(nn::S5(2, 3));
  CHECK_MESSAGE(report, report.to_string());
  expect_one_definition(nn::Recurrent(nn::S5(2, 3)));
}

TEST_CASE("the modes of an S5 are eigenvalues of the normal part of HiPPO-LegS") {
  constexpr Index kHidden = 8;
  const nn::Recurrent rnn(nn::S5(1, kHidden));
  const auto lambda = complex_matrix(numbers_of(rnn, "lambda"));
  // With A = K - 1/2 and K skew-symmetric, K^T K has the squares of the frequencies, twice each.
  const Variable k =
      normal_hippo(2 * kHidden) + diag_embed(full({2 * kHidden}, 0.5, Dtype::float64));
  const std::vector<double> squares =
      eigh(matmul(transpose(k), k)).values.value().to_vector<double>();
  for (std::size_t i = 0; i < lambda.size(); ++i) {
    CHECK(lambda[i].real() == -0.5);
    CHECK(lambda[i].imag() == doctest::Approx(std::sqrt(squares[2 * i])).epsilon(1e-5));
    CHECK(lambda[i].imag() == doctest::Approx(std::sqrt(squares[2 * i + 1])).epsilon(1e-5));
  }
}

TEST_CASE("at first an S5 is the real system of the HiPPO matrix, with conjugate modes") {
  // B = V^* B' and C = C' V for some real B' and C', so what V makes of B and C leads back to them.
  seed(4);
  constexpr Index kHidden = 3, kSize = 2 * kHidden, kInputs = 40;
  const nn::Recurrent rnn(nn::S5(kInputs, kHidden));
  const auto lambda = complex_matrix(numbers_of(rnn, "lambda"));
  const auto b = complex_matrix(numbers_of(rnn, "B")), c = complex_matrix(numbers_of(rnn, "C"));
  // The eigenvectors of A, of unit size and with a positive first component.
  const Tensor a = normal_hippo(kSize);
  std::vector<std::vector<std::complex<double>>> v;
  for (const std::complex<double>& l : lambda) {
    // (A - lambda) v = 0 with v_0 = 1: the real system of the other components.
    const Index n = kSize - 1;
    std::vector<double> left(static_cast<std::size_t>(4 * n * n)), right;
    for (Index part = 0; part < 2; ++part)
      for (Index i = 0; i < n; ++i) {
        for (Index j = 0; j < n; ++j) {
          const double re = a.at({i + 1, j + 1}) - (i == j ? l.real() : 0.0);
          const double im = i == j ? -l.imag() : 0.0;
          const auto at = [&](Index row, Index column) -> double& {
            return left[static_cast<std::size_t>(row * 2 * n + column)];
          };
          at(part * n + i, j) = part == 0 ? re : im;
          at(part * n + i, n + j) = part == 0 ? -im : re;
        }
        right.push_back(part == 0 ? -a.at({i + 1, 0}) : 0.0);
      }
    const std::vector<double> rest =
        solve(Tensor::of({2 * n, 2 * n}, left), Tensor::of({2 * n, 1}, right))
            .value()
            .to_vector<double>();
    std::vector<std::complex<double>> vector{1.0};
    for (Index i = 0; i < n; ++i)
      vector.emplace_back(rest[static_cast<std::size_t>(i)], rest[static_cast<std::size_t>(n + i)]);
    double size = 0.0;
    for (const auto& component : vector) size += std::norm(component);
    for (auto& component : vector) component /= std::sqrt(size);
    v.push_back(vector);
  }
  // B' = 2 Re(V B) must give B = V^* B' back, and C' = 2 Re(C V^*) must give C = C' V.
  double variance = 0.0;
  for (std::size_t i = 0; i < kInputs; ++i)
    for (std::size_t k = 0; k < kHidden; ++k) {
      std::complex<double> b_again = 0.0, c_again = 0.0;
      for (std::size_t n = 0; n < kSize; ++n) {
        double b_real = 0.0, c_real = 0.0;
        for (std::size_t m = 0; m < kHidden; ++m) {
          b_real += 2.0 * (v[m][n] * b[m * kInputs + i]).real();
          c_real += 2.0 * (c[i * kHidden + m] * std::conj(v[m][n])).real();
        }
        if (k == 0) variance += b_real * b_real;
        b_again += std::conj(v[k][n]) * b_real;
        c_again += v[k][n] * c_real;
      }
      CHECK(std::abs(b_again - b[k * kInputs + i]) < 1e-5);
      CHECK(std::abs(c_again - c[i * kHidden + k]) < 1e-5);
    }
  CHECK(variance / kSize == doctest::Approx(1.0).epsilon(0.3));  // I elements of variance 1/I
}

TEST_CASE("the time steps of an S5 lie in the range asked for") {
  const nn::Recurrent rnn(nn::S5(1, 50, {.min_delta = 0.01, .max_delta = 0.02}));
  for (const double log_delta : numbers_of(rnn, "log_delta")) {
    CHECK(std::exp(log_delta) > 0.00999);
    CHECK(std::exp(log_delta) < 0.02001);
  }
}

TEST_CASE("a short time step changes an S5 little, in float32 too") {
  // The hold (e^(lambda delta) - 1) / lambda is nearly delta.
  const nn::Recurrent rnn(nn::S5(2, 3, {.min_delta = 1e-6, .max_delta = 1e-6}));
  const Tensor x = random({1, 1, 2}, 5);
  const Tensor h = rnn(x.to(Dtype::float32)).state[0].value();
  const Tensor expected = wide(rnn)(x).state[0].value();
  const double largest = max(abs(Variable(expected))).item();
  const Variable error = Variable(h.to(Dtype::float64)) - Variable(expected);
  CHECK(max(abs(error)).item() < 1e-5 * largest);
}

TEST_CASE("an S5 refuses time steps that are none") {
  expect_error<ArgumentError>([] { nn::S5(2, 3, {.min_delta = 0.0}); }, {"S5", "min_delta"});
  expect_error<ArgumentError>([] { nn::S5(2, 3, {.min_delta = 0.2, .max_delta = 0.1}); },
                              {"S5", "min_delta <= max_delta", "0.2", "0.1"});
  expect_error<ArgumentError>([] { nn::S5(2, 0); }, {"state size", "at least 1"});
}

}  // namespace unroll::testing
