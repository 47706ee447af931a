#include <doctest/doctest.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <vector>

#include "support/expect.hpp"
#include "support/linear_cells.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {

TEST_CASE("an LRU computes the equations of the paper") {
  constexpr Index kSteps = 5, kBatch = 2, kInputs = 3, kHidden = 4;
  const nn::Recurrent rnn = wide(nn::Recurrent(nn::LRU(kInputs, kHidden)));
  const Tensor x = random({kSteps, kBatch, kInputs}, 1);
  const auto nu_log = numbers_of(rnn, "nu_log"), theta_log = numbers_of(rnn, "theta_log");
  const auto gamma_log = numbers_of(rnn, "gamma_log"), d = numbers_of(rnn, "D");
  const auto b = complex_matrix(numbers_of(rnn, "B")), c = complex_matrix(numbers_of(rnn, "C"));
  const auto [outputs, state] = rnn(x);
  CHECK(outputs.shape() == Shape{kSteps, kBatch, kInputs});
  CHECK(state[0].shape() == Shape{kBatch, 2, kHidden});
  for (Index s = 0; s < kBatch; ++s) {
    std::vector<std::complex<double>> h(kHidden);
    for (Index t = 0; t < kSteps; ++t) {
      const std::vector<double> xt = input_at(x, t, s);
      for (std::size_t k = 0; k < kHidden; ++k) {
        const std::complex<double> lambda =
            std::exp(std::complex(-std::exp(nu_log[k]), std::exp(theta_log[k])));
        std::complex<double> bx = 0.0;
        for (std::size_t i = 0; i < kInputs; ++i) bx += b[k * kInputs + i] * xt[i];
        h[k] = lambda * h[k] + std::exp(gamma_log[k]) * bx;
      }
      for (std::size_t o = 0; o < kInputs; ++o) {
        std::complex<double> ch = 0.0;
        for (std::size_t k = 0; k < kHidden; ++k) ch += c[o * kHidden + k] * h[k];
        const double y = ch.real() + d[o] * xt[o];
        CHECK(distance(outputs.value().at({t, s, static_cast<Index>(o)}), y) < 1e-12);
      }
    }
    for (std::size_t k = 0; k < kHidden; ++k) {
      CHECK(distance(state[0].value().at({s, 0, static_cast<Index>(k)}), h[k].real()) < 1e-12);
      CHECK(distance(state[0].value().at({s, 1, static_cast<Index>(k)}), h[k].imag()) < 1e-12);
    }
  }
}

TEST_CASE("an LRU keeps the contract, in all forms") {
  const nn::CellReport report = nn::check_cell(nn::LRU(2, 3));
  CHECK_MESSAGE(report, report.to_string());
  expect_one_definition(nn::Recurrent(nn::LRU(2, 3)));
}

TEST_CASE("the eigenvalues of an LRU are uniform on its ring, and gamma normalises them") {
  seed(2);
  constexpr Index kHidden = 2000;
  const nn::Recurrent rnn(nn::LRU(1, kHidden, {.r_min = 0.6, .r_max = 0.9, .max_phase = 1.5}));
  const auto nu_log = numbers_of(rnn, "nu_log"), theta_log = numbers_of(rnn, "theta_log");
  const auto gamma_log = numbers_of(rnn, "gamma_log");
  double squares = 0.0, phases = 0.0;
  for (std::size_t k = 0; k < nu_log.size(); ++k) {
    const double size = std::exp(-std::exp(nu_log[k]));
    CHECK((size > 0.5999 && size < 0.9001));
    const double phase = std::exp(theta_log[k]);
    CHECK((phase >= 0.0 && phase < 1.5001));
    CHECK(std::exp(gamma_log[k]) == doctest::Approx(std::sqrt(1.0 - size * size)).epsilon(1e-5));
    squares += size * size / kHidden;
    phases += phase / kHidden;
  }
  CHECK(squares == doctest::Approx((0.36 + 0.81) / 2.0).epsilon(0.02));  // uniform by area
  CHECK(phases == doctest::Approx(0.75).epsilon(0.05));
}

TEST_CASE("the state of an LRU stays the size of its input however long its memory") {
  seed(3);
  const nn::Recurrent rnn(nn::LRU(32, 200, {.r_min = 0.97, .r_max = 0.98}));
  const nn::Sequence after = rnn(normal({1000, 4, 32}, 0.0, 1.0));
  // Each part of B x has the variance 1/2.
  CHECK(mean(square(after.state[0])).item() == doctest::Approx(0.5).epsilon(0.1));
}

TEST_CASE("an LRU refuses a ring that is none") {
  expect_error<ArgumentError>([] { nn::LRU(2, 3, {.r_min = 0.9, .r_max = 0.8}); },
                              {"LRU", "r_min < r_max", "0.9", "0.8"});
  expect_error<ArgumentError>([] { nn::LRU(2, 3, {.r_max = 1.1}); }, {"LRU", "r_max <= 1"});
  expect_error<ArgumentError>([] { nn::LRU(2, 3, {.r_min = -0.1}); }, {"LRU", "0 <= r_min"});
  expect_error<ArgumentError>([] { nn::LRU(2, 3, {.max_phase = 0.0}); }, {"LRU", "max_phase"});
  expect_error<ArgumentError>([] { nn::LRU(2, 0); }, {"state size", "at least 1"});
}

}  // namespace unroll::testing
