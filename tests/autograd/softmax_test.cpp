#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

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
  CHECK(cross_entropy(apart, Tensor::of<std::int64_t>({1}, {0})).item() == 800.0);
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

TEST_CASE("cross entropy is the mean of minus log softmax at the targets") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Tensor logits = random({2, 3, 5}, 1, -3.0, 3.0).to(dtype);
    const std::vector<std::int64_t> targets{4, 0, 2, 1, 1, 3};
    double expected = 0.0;
    for (std::size_t k = 0; k < 6; ++k) {
      const auto row = logits.reshape({6, 5}).select(0, static_cast<Index>(k));
      expected -= log_softmax_of(row.to_vector<double>())[static_cast<std::size_t>(targets[k])] / 6;
    }
    const Variable loss = cross_entropy(logits, Tensor::of({2, 3}, targets));
    CHECK(loss.shape() == Shape{});
    CHECK(loss.dtype() == dtype);
    CHECK(loss.item() == doctest::Approx(expected).epsilon(dtype == Dtype::float32 ? 1e-6 : 1e-14));
  }
}

TEST_CASE("equal logits cost the logarithm of the number of classes") {
  const Tensor targets = Tensor::of<std::int64_t>({4}, {0, 5, 99, 3});
  CHECK(cross_entropy(zeros({4, 100}, Dtype::float64), targets).item() ==
        doctest::Approx(std::log(100.0)));
}

TEST_CASE("cross entropy takes views of logits and of targets") {
  const Tensor logits = random({5, 4}, 1);
  const Tensor targets = Tensor::of<std::int64_t>({4, 2}, {1, 0, 4, 0, 2, 0, 3, 0}).select(1, 0);
  const Tensor packed = logits.transpose(0, 1).contiguous();
  CHECK(cross_entropy(logits.transpose(0, 1), targets).item() ==
        cross_entropy(packed, targets.contiguous()).item());
}

TEST_CASE("the gradient of cross entropy is the probabilities less the targets, over the rows") {
  Tape tape;
  const Tensor value = random({3, 4}, 1);
  const Variable logits = tape.watch(value);
  const Variable loss = cross_entropy(logits, Tensor::of<std::int64_t>({3}, {2, 0, 3}));
  Tensor expected = softmax(value).value().clone();
  expected.mutable_data<double>()[2] -= 1.0;
  expected.mutable_data<double>()[4] -= 1.0;
  expected.mutable_data<double>()[11] -= 1.0;
  expect_close(tape.gradients(loss)[logits].value(), (Variable(expected) / 3.0).value());
}

}  // namespace unroll::testing
