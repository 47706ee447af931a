#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <array>
#include <cmath>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

/// Sums of x over the axes where `kept` has size 1, by a loop.
std::vector<double> sums_of(const Tensor& x, const Shape& kept) {
  const auto values = x.to_vector<double>();
  std::vector<double> sums(static_cast<std::size_t>(size_of(kept)), 0.0);
  for (Index flat = 0; flat < x.size(); ++flat) {
    const Shape at = position_of(flat, x.shape());
    Index into = 0;
    for (int axis = 0; axis < kept.rank(); ++axis)
      into = into * kept[axis] + (kept[axis] == 1 ? 0 : at[axis]);
    sums[static_cast<std::size_t>(into)] += values[static_cast<std::size_t>(flat)];
  }
  return sums;
}

}  // namespace

TEST_CASE("a sum over any axes agrees with a loop") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const double tolerance = dtype == Dtype::float32 ? 1e-6 : 1e-13;
    const Tensor x = random({3, 4, 5}, 1).to(dtype);
    expect_values(sum(x).value(), sums_of(x, {1, 1, 1}), tolerance);
    expect_values(sum(x, {0}).value(), sums_of(x, {1, 4, 5}), tolerance);
    expect_values(sum(x, {1}).value(), sums_of(x, {3, 1, 5}), tolerance);
    expect_values(sum(x, {-1}).value(), sums_of(x, {3, 4, 1}), tolerance);
    expect_values(sum(x, {0, 2}).value(), sums_of(x, {1, 4, 1}), tolerance);
    expect_values(sum(x, {2, 1, 0}).value(), sums_of(x, {1, 1, 1}), tolerance);
    expect_values(sum(x, {}).value(), x.to_vector<double>(), tolerance);
  }
}

TEST_CASE("summed axes are dropped, or kept with size 1") {
  const Variable x = random({3, 4, 5}, 1);
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x, {1}).shape() == Shape{3, 5});
  CHECK(sum(x, {1}, true).shape() == Shape{3, 1, 5});
  CHECK(sum(x, {0, -1}, true).shape() == Shape{1, 4, 1});
  CHECK(mean(x).shape() == Shape{});
  CHECK(mean(x, {0, 1}).shape() == Shape{5});
  CHECK(mean(x, {0, 1}, true).shape() == Shape{1, 1, 5});
}

TEST_CASE("views are summed as their elements stand") {
  const Tensor x = random({6, 8}, 1);
  for (const Tensor& view :
       {x.transpose(0, 1), x.slice(1, 1, 8, 3), x.slice(0, 2, 5).slice(1, 0, 7),
        x.slice(1, 3, 4).broadcast_to({6, 4}), x.slice(0, 0, 1).broadcast_to({5, 8})}) {
    expect_values(sum(view).value(), sums_of(view, {1, 1}));
    expect_values(sum(view, {0}).value(), sums_of(view, {1, view.size(1)}));
    expect_values(sum(view, {1}).value(), sums_of(view, {view.size(0), 1}));
  }
}

TEST_CASE("a mean is the sum over the number of elements") {
  const Tensor x = random({3, 4, 5}, 1);
  CHECK(mean(x).item() == doctest::Approx(sum(x).item() / 60));
  expect_close(mean(x, {1}).value(), (sum(x, {1}) / 4.0).value());
  expect_close(mean(x, {0, 2}).value(), (sum(x, {0, 2}) / 15.0).value());
}

TEST_CASE("a sum over no elements is zero, and a mean over none is an error") {
  CHECK(sum(zeros({0})).item() == 0.0);
  expect_values(sum(zeros({0, 3}), {0}).value(), {0, 0, 0});
  CHECK(sum(zeros({0, 3}), {1}).shape() == Shape{0});
  expect_error<ShapeError>([] { mean(zeros({0})); }, {"mean", "no elements"});
  expect_error<ShapeError>([] { mean(zeros({0, 3}), {0}); }, {"mean", "no elements"});
}

TEST_CASE("sum_to undoes a broadcast") {
  const Tensor x = random({2, 3, 4}, 1);
  expect_values(sum_to(x, {3, 1}).value(), sums_of(x, {1, 3, 1}));
  expect_values(sum_to(x, {4}).value(), sums_of(x, {1, 1, 4}));
  expect_values(sum_to(x, {2, 1, 1}).value(), sums_of(x, {2, 1, 1}));
  CHECK(sum_to(x, {1, 1, 1}).shape() == Shape{1, 1, 1});
  CHECK(sum_to(x, {2, 3, 4}).value().shares_buffer(x));
}

TEST_CASE("long float32 sums keep their digits, along rows and across them") {
  // 0.1 is not exact in float32; a running sum of a million of them would be 100958.
  const double tenth = static_cast<double>(0.1F);
  constexpr Index kMany = 1'000'000;
  CHECK(sum(full({kMany}, 0.1)).item() == doctest::Approx(kMany * tenth).epsilon(1e-5));
  const Tensor across = sum(full({kMany, 2}, 0.1), {0}).value();
  CHECK(across.at({0}) == doctest::Approx(kMany * tenth).epsilon(1e-6));
  CHECK(across.at({1}) == doctest::Approx(kMany * tenth).epsilon(1e-6));
  CHECK(sum(full({2, kMany}, 0.1).transpose(0, 1)).item() ==
        doctest::Approx(2 * kMany * tenth).epsilon(1e-6));
}

TEST_CASE("a not-a-number makes its sum one, and no other") {
  Tensor x = ones({2, 3}, Dtype::float64);
  x.mutable_data<double>()[1] = std::nan("");
  const Tensor rows = sum(x, {1}).value();
  CHECK(std::isnan(rows.at({0})));
  CHECK(rows.at({1}) == 3.0);
}

}  // namespace unroll::testing
