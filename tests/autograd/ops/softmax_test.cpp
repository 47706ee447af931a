#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// log softmax of one row, by the definition, in long double.
std::vector<double> log_softmax_of(const std::vector<double>& row) {
  long double total = 0.0L;
  for (double x : row) total += std::exp(static_cast<long double>(x));
  std::vector<double> result;
  for (double x : row) result.push_back(static_cast<double>(x - std::log(total)));
  return result;
}

}  // namespace

TEST_CASE("softmax and its logarithm agree with the definition, for rows of any length") {
  for (Index n = 1; n <= 40; ++n)
    for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
      const Tensor x = random({2, n}, 1, -4.0, 4.0).to(dtype);
      const Tensor p = softmax(x).value();
      const Tensor log_p = log_softmax(x).value();
      CHECK(p.dtype() == dtype);
      for (Index k = 0; k < 2; ++k) {
        const auto expected = log_softmax_of(x.select(0, k).to_vector<double>());
        std::vector<double> probabilities;
        for (double e : expected) probabilities.push_back(std::exp(e));
        const double tolerance = dtype == Dtype::float32 ? 1e-6 : 1e-14;
        expect_values(p.select(0, k), probabilities, tolerance);
        expect_values(log_p.select(0, k), expected, tolerance);
      }
    }
}

TEST_CASE("softmax runs along the axis that it is told") {
  const Tensor x = random({2, 3, 4}, 1);
  for (int axis : {0, 1, 2, -1, -2, -3}) {
    const Tensor p = softmax(x, axis).value();
    CHECK(p.shape() == x.shape());
    const Tensor totals = sum(p, {axis}).value();
    expect_values(totals, std::vector<double>(static_cast<std::size_t>(totals.size()), 1.0));
    expect_close(exp(log_softmax(x, axis)).value(), p);
  }
  const Tensor column = softmax(x, 1).value().select(0, 1).select(1, 2);
  std::vector<double> expected;
  for (double e : log_softmax_of(x.select(0, 1).select(1, 2).to_vector<double>()))
    expected.push_back(std::exp(e));
  expect_values(column, expected);
}

TEST_CASE("huge logits neither overflow nor lose digits") {
  const Variable x = Tensor::of<double>({1, 3}, {1000.0, 1001.0, 999.0});
  const auto expected = log_softmax_of({0.0, 1.0, -1.0});
  expect_values(log_softmax(x).value(), expected);
  expect_values(softmax(x - 3000.0).value(),
                {std::exp(expected[0]), std::exp(expected[1]), std::exp(expected[2])});
  const Variable apart = Tensor::of<double>({1, 2}, {0.0, 800.0});
  expect_values(log_softmax(apart).value(), {-800.0, 0.0});
}

TEST_CASE("a class that is ruled out by minus infinity gets probability 0") {
  const double none = -std::numeric_limits<double>::infinity();
  const Variable x = Tensor::of<double>({1, 3}, {0.0, none, 0.0});
  expect_values(softmax(x).value(), {0.5, 0.0, 0.5});
  expect_values(log_softmax(x).value(), {-std::log(2.0), none, -std::log(2.0)});
}

TEST_CASE("a not-a-number makes its whole row one, and no other") {
  Tensor x = zeros({2, 20}, Dtype::float64);
  x.mutable_data<double>()[7] = std::nan("");
  const Tensor p = softmax(x).value();
  for (Index j = 0; j < 20; ++j) {
    CHECK(std::isnan(p.at({0, j})));
    CHECK(p.at({1, j}) == doctest::Approx(0.05));
  }
}

TEST_CASE("rows longer than a block, with the maximum in any place, agree with the definition") {
  // 2500 numbers are three blocks of the kernel.
  for (Index place : {0, 1100, 2499}) {
    Tensor x = random({1, 2500}, 2, -1.0, 1.0);
    x.mutable_data<double>()[place] = 9.0;
    expect_values(log_softmax(x).value(), log_softmax_of(x.to_vector<double>()), 1e-13);
  }
  Tensor x = random({1, 2500}, 3);
  std::fill_n(x.mutable_data<double>(), 1300, -std::numeric_limits<double>::infinity());
  expect_values(log_softmax(x).value(), log_softmax_of(x.to_vector<double>()), 1e-13);
}

}  // namespace unroll::testing
