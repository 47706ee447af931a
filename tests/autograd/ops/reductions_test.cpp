// Reductions beside sum and mean, and scans: values by plain loops, edges, ties, errors.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
using Numbers = std::vector<double>;

/// f of the numbers of `x: [2,3,4]` that share a position on axis 1.
Numbers over_outer_axes(const Tensor& x, const std::function<double(const Numbers&)>& f) {
  Numbers results;
  for (Index j = 0; j < 3; ++j) {
    Numbers group;
    for (Index i = 0; i < 2; ++i)
      for (Index k = 0; k < 4; ++k) group.push_back(x.at({i, j, k}));
    results.push_back(f(group));
  }
  return results;
}

double variance_of(const Numbers& x, double correction) {
  double mean = 0;
  for (double a : x) mean += a / static_cast<double>(x.size());
  double total = 0;
  for (double a : x) total += (a - mean) * (a - mean);
  return total / (static_cast<double>(x.size()) - correction);
}

double norm_of(const Numbers& x, double order) {
  double total = 0;
  for (double a : x) total += std::pow(std::abs(a), order);
  return std::pow(total, 1 / order);
}

Numbers slope(const std::function<Variable(const Variable&)>& f, const Numbers& values) {
  Tape tape;
  const Variable x = tape.watch(Tensor::of({static_cast<Index>(values.size())}, values));
  return tape.gradients(sum(f(x)))[x].value().to_vector<double>();
}

Tensor row(const Numbers& values) {
  return Tensor::of({static_cast<Index>(values.size())}, values);
}

}  // namespace

TEST_CASE("reductions over any axes agree with plain loops, in both precisions") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Tensor x = random({2, 3, 4}, 1, -2, 2).to(dtype);
    const double tolerance = dtype == Dtype::float32 ? 2e-6 : 1e-14;
    const auto expect = [&](const Variable& actual,
                            const std::function<double(const Numbers&)>& f) {
      CHECK(actual.dtype() == dtype);
      CHECK(actual.shape() == Shape{3});
      expect_values(actual.value(), over_outer_axes(x, f), tolerance);
    };
    expect(prod(x, {0, -1}), [](const Numbers& v) {
      double y = 1;
      for (double a : v) y *= a;
      return y;
    });
    expect(max(x, {2, 0}), [](const Numbers& v) { return *std::max_element(v.begin(), v.end()); });
    expect(min(x, {0, 2}), [](const Numbers& v) { return *std::min_element(v.begin(), v.end()); });
    expect(variance(x, {0, 2}), [](const Numbers& v) { return variance_of(v, 1); });
    expect(variance(x, {0, 2}, false, 0), [](const Numbers& v) { return variance_of(v, 0); });
    expect(standard_deviation(x, {0, 2}),
           [](const Numbers& v) { return std::sqrt(variance_of(v, 1)); });
    expect(logsumexp(x, {0, 2}), [](const Numbers& v) {
      double y = 0;
      for (double a : v) y += std::exp(a);
      return std::log(y);
    });
    for (double order : {1.0, 2.0, 3.5})
      expect(norm(x, {0, 2}, false, order),
             [order](const Numbers& v) { return norm_of(v, order); });
    CHECK(max(x, {0, 2}, true).shape() == Shape{1, 3, 1});
    CHECK(variance(x, {}, true, 0).shape() == Shape{2, 3, 4});
    CHECK(norm(x).shape() == Shape{});
    CHECK(norm(x, kInfinity).item() == std::max(max(x).item(), -min(x).item()));
    CHECK(norm(x).item() == doctest::Approx(norm_of(x.to_vector<double>(), 2)).epsilon(tolerance));
  }
}

TEST_CASE("reductions neither overflow on the way nor hide a NaN") {
  CHECK(norm(row({3e200, 4e200})).item() == doctest::Approx(5e200));
  CHECK(norm(row({3e-200, 4e-200}), 3.0).item() == doctest::Approx(std::cbrt(91.0) * 1e-200));
  CHECK(logsumexp(row({1000, 1000})).item() == doctest::Approx(1000 + std::log(2.0)));
  CHECK(logsumexp(row({-kInfinity, -kInfinity})).item() == -kInfinity);
  CHECK(logsumexp(row({kInfinity, 1})).item() == kInfinity);
  CHECK(norm(row({kInfinity, 1})).item() == kInfinity);
  for (auto f : std::vector<Variable (*)(const Variable&)>{
           [](const Variable& x) { return max(x); }, [](const Variable& x) { return min(x); },
           [](const Variable& x) { return norm(x); }, [](const Variable& x) { return prod(x); },
           [](const Variable& x) { return variance(x); },
           [](const Variable& x) { return logsumexp(x); }})
    CHECK(std::isnan(f(row({1, kNan, 3})).item()));
  CHECK(argmax(row({1, kNan, 3, kNan})).item() == 1);
  CHECK(prod(zeros({0})).item() == 1.0);
}

TEST_CASE("at ties and kinks the gradient is the one documented") {
  CHECK(slope([](const Variable& x) { return max(x); }, {1, 3, 3}) == Numbers{0, 1, 0});
  CHECK(slope([](const Variable& x) { return min(x); }, {1, 3, 1}) == Numbers{1, 0, 0});
  CHECK(slope([](const Variable& x) { return cummax(x, 0); }, {1, 3, 3, 2}) == Numbers{1, 1, 2, 0});
  CHECK(slope([](const Variable& x) { return norm(x); }, {0, 0}) == Numbers{0, 0});
  CHECK(slope([](const Variable& x) { return norm(x, 3.0); }, {0, 0}) == Numbers{0, 0});
  CHECK(slope([](const Variable& x) { return standard_deviation(x); }, {2, 2}) == Numbers{0, 0});
  CHECK(slope([](const Variable& x) { return prod(x); }, {0, 2, 3}) == Numbers{6, 0, 0});
}

TEST_CASE("argmax and argmin give positions as int64") {
  const Tensor x = Tensor::of<double>({2, 3}, {1, 5, 5, -2, 7, -2});
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    CHECK(argmax(x.to(dtype)).dtype() == Dtype::int64);
    CHECK(argmax(x.to(dtype)).item() == 4);
    CHECK(argmin(x.to(dtype)).item() == 3);
    expect_values(argmax(x.to(dtype), 1), {1, 1});
    expect_values(argmin(x.to(dtype), -1), {0, 0});
    expect_values(argmax(x.to(dtype), 0), {0, 1, 0});
    CHECK(argmax(x.to(dtype), 0, true).shape() == Shape{1, 3});
    CHECK(argmin(x.to(dtype), 1).shape() == Shape{2});
  }
}

TEST_CASE("any and all keep the dtype of what they look at") {
  const Tensor x = Tensor::of<double>({2, 2}, {0, 0, 0, 2});
  for (Dtype dtype : {Dtype::float32, Dtype::float64, Dtype::int64}) {
    CHECK(any_true(x.to(dtype)).dtype() == dtype);
    CHECK(any_true(x.to(dtype)).item() == 1);
    CHECK(all_true(x.to(dtype)).item() == 0);
    expect_values(any_true(x.to(dtype), {1}), {0, 1});
    expect_values(all_true(x.to(dtype), {1}), {0, 0});
    CHECK(any_true(x.to(dtype), {0}, true).shape() == Shape{1, 2});
    CHECK(all_true(x.to(dtype), {0, 1}).shape() == Shape{});
  }
  CHECK(any_true(zeros({0})).item() == 0);
  CHECK(all_true(zeros({0})).item() == 1);
  CHECK(any_true(row({0, kNan})).item() == 1);
}

TEST_CASE("scans agree with plain loops along every axis") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (int axis : {0, 1, -1}) {
      const Tensor x = random({3, 5, 7}, 3, -1.5, 1.5).to(dtype);
      const int at = axis < 0 ? axis + 3 : axis;
      const auto expect = [&](const Variable& actual, double (*step)(double, double)) {
        CHECK(actual.dtype() == dtype);
        CHECK(actual.shape() == x.shape());
        Numbers expected;
        for (Index flat = 0; flat < x.size(); ++flat) {
          Shape p = position_of(flat, x.shape());
          const Index last = p[at];
          p[at] = 0;
          double y = x.at({p[0], p[1], p[2]});
          for (p[at] = 1; p[at] <= last; ++p[at]) y = step(y, x.at({p[0], p[1], p[2]}));
          expected.push_back(y);
        }
        expect_values(actual.value(), expected, dtype == Dtype::float32 ? 1e-6 : 1e-14);
      };
      expect(cumsum(x, axis), [](double a, double b) { return a + b; });
      expect(cumprod(x, axis), [](double a, double b) { return a * b; });
      expect(cummax(x, axis), [](double a, double b) { return std::max(a, b); });
    }
  CHECK(std::isnan(cummax(row({1, kNan, 3}), 0).value().at({2})));
  CHECK(cumsum(zeros({0, 3}), 1).shape() == Shape{0, 3});
}

TEST_CASE("reductions and scans refuse what they cannot do, by name") {
  const Variable x = ones({2, 3});
  expect_error<ArgumentError>([&] { max(x, {2}); }, {"max", "2"});
  expect_error<ArgumentError>([&] { prod(x, {1, -1}); }, {"prod", "-1", "twice"});
  expect_error<ShapeError>([] { max(zeros({0})); }, {"max", "no elements"});
  expect_error<ShapeError>([] { logsumexp(zeros({2, 0}), {1}); }, {"logsumexp", "no elements"});
  expect_error<ShapeError>([] { argmin(zeros({2, 0}), 1); }, {"argmin", "no elements"});
  expect_error<ShapeError>([&] { variance(ones({1})); }, {"variance", "1 elements"});
  expect_error<ArgumentError>([&] { norm(x, 0.5); }, {"norm", "0.5"});
  expect_error<DtypeError>([] { prod(arange(3)); }, {"prod", "int64"});
  expect_error<DtypeError>([] { cumsum(arange(3), 0); }, {"cumsum", "int64"});
  expect_error<ArgumentError>([&] { cumprod(x, 2); }, {"cumprod", "2"});
  expect_error<ArgumentError>([] { argmax(Variable()); }, {"argmax", "undefined"});
  expect_error<ArgumentError>([] { any_true(Variable()); }, {"any_true", "undefined"});
}

}  // namespace unroll::testing
