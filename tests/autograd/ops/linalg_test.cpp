// Inverses, determinants and decompositions: what defines them, edges, domains.
#include <doctest/doctest.h>
#include <autograd/autograd.hpp>

#include <cmath>
#include <functional>
#include <limits>

#include "support/expect.hpp"
#include "support/linalg_cases.hpp"
#include "support/numbers.hpp"

namespace unroll::testing {
namespace {

Tensor eye(Index n, Dtype dtype = Dtype::float64) { return diag_embed(ones({n}, dtype)).value(); }

Tensor positive_definite(const Shape& shape, std::uint64_t seed) {
  const Variable x = random(shape, seed);
  return (matmul(x, transpose(x)) + Variable(eye(shape.back()))).value();
}

double tolerance(Dtype dtype) { return dtype == Dtype::float32 ? 1e-5 : 1e-13; }

const Tensor& singular() {
  static const Tensor x = Tensor::of<double>({2, 2, 2}, {1, 0, 0, 1, 1, 2, 2, 4});
  return x;
}

}  // namespace

TEST_CASE(
    "an inverse, and a solution, is what the matrix multiplies to one, and to the right side") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (const Shape& shape : {Shape{1, 1}, Shape{4, 4}, Shape{2, 3, 5, 5}}) {
      CAPTURE(to_string(shape));
      const Variable x =
          (Variable(random(shape, 1)) + Variable(eye(shape.back())) * 3.0).value().to(dtype);
      const Variable one = broadcast_to(eye(shape.back(), dtype), shape);
      expect_close(matmul(x, inverse(x)).value(), one.value(), tolerance(dtype));
      expect_close(matmul(inverse(transpose(x)), transpose(x)).value(), one.value(),
                   tolerance(dtype));
      const Variable b = random({shape.back(), 2}, 2).to(dtype);
      const Variable y = solve(x, b);
      CHECK(y.dtype() == dtype);
      expect_close(matmul(x, y).value(), broadcast_to(b, y.shape()).value(), tolerance(dtype));
    }
  CHECK(inverse(zeros({2, 0, 0})).shape() == Shape{2, 0, 0});
  CHECK(inverse(zeros({0, 3, 3})).shape() == Shape{0, 3, 3});
  CHECK(solve(ones({1, 1}), zeros({1, 0})).shape() == Shape{1, 0});
  CHECK(solve(ones({3, 1, 1, 1}), zeros({2, 1, 4})).shape() == Shape{3, 2, 1, 4});
}

TEST_CASE("a Cholesky factor is lower triangular and squares to the matrix") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Variable x = positive_definite({2, 4, 4}, 3).to(dtype);
    const Variable l = cholesky(x);
    expect_close(matmul(l, transpose(l)).value(), x.value(), tolerance(dtype));
    expect_close(l.value(), tril(l).value());
    CHECK(min(diagonal(l)).item() > 0.0);
  }
  CHECK(cholesky(full({1, 1}, 9.0)).item() == 3.0);
  // The function is that of the symmetric part.
  const Variable skew = Tensor::of<double>({2, 2}, {4, 3, 1, 9});
  expect_close(cholesky(skew).value(), cholesky(transpose(skew)).value());
}

TEST_CASE("determinants are those of the definition") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64}) {
    const Tensor x = random({2, 3, 3}, 4, -2, 2).to(dtype);
    const Variable y = det(x);
    const SignedLogDet parts = slogdet(x);
    for (Index m = 0; m < 2; ++m) {
      const auto a = [&](Index i, Index j) { return x.at({m, i, j}); };
      const double expected = a(0, 0) * (a(1, 1) * a(2, 2) - a(1, 2) * a(2, 1)) -
                              a(0, 1) * (a(1, 0) * a(2, 2) - a(1, 2) * a(2, 0)) +
                              a(0, 2) * (a(1, 0) * a(2, 1) - a(1, 1) * a(2, 0));
      CHECK(y.value().at({m}) == doctest::Approx(expected).epsilon(tolerance(dtype)));
      CHECK(parts.sign.at({m}) == (expected < 0 ? -1.0 : 1.0));
      CHECK(parts.log_abs.value().at({m}) ==
            doctest::Approx(std::log(std::abs(expected))).epsilon(tolerance(dtype)));
    }
  }
  expect_values(det(singular()).value(), {1, 0});
  CHECK(det(zeros({0, 0})).item() == 1.0);
  CHECK(logdet(zeros({0, 0})).item() == 0.0);
  expect_values(slogdet(singular()).sign, {1, 0});
  CHECK(std::isinf(slogdet(singular()).log_abs.value().at({1})));
  // Far beyond what a float64 holds.
  CHECK(logdet(Variable(eye(500)) * 1e3).item() == doctest::Approx(500 * std::log(1e3)));
}

TEST_CASE("a singular value decomposition multiplies to the matrix, of any form") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (const Shape& shape :
         {Shape{1, 1}, Shape{1, 4}, Shape{4, 1}, Shape{3, 3}, Shape{5, 3}, Shape{2, 3, 5}}) {
      CAPTURE(to_string(shape));
      const Variable x = random(shape, 5).to(dtype);
      const Svd y = svd(x);
      const Variable one = eye(y.s.size(-1), dtype);
      expect_close(matmul(y.u * unsqueeze(y.s, -2), y.vh).value(), x.value(), tolerance(dtype));
      expect_close(matmul(transpose(y.u), y.u).value(),
                   broadcast_to(one, matmul(transpose(y.u), y.u).shape()).value(),
                   tolerance(dtype));
      expect_close(matmul(y.vh, transpose(y.vh)).value(),
                   broadcast_to(one, matmul(y.vh, transpose(y.vh)).shape()).value(),
                   tolerance(dtype));
      CHECK(min(y.s).item() >= 0.0);
      expect_close(sort(y.s, -1, true).values.value(), y.s.value());
    }
  CHECK(svd(zeros({0, 3})).vh.shape() == Shape{0, 3});
}

TEST_CASE("eigenvectors are expanded by their eigenvalues") {
  for (Dtype dtype : {Dtype::float32, Dtype::float64})
    for (const Shape& shape : {Shape{1, 1}, Shape{2, 4, 4}}) {
      const Variable any = random(shape, 6).to(dtype);
      const Variable x = any + transpose(any);
      const Eigh y = eigh(x);
      expect_close(matmul(x, y.vectors).value(), (y.vectors * unsqueeze(y.values, -2)).value(),
                   tolerance(dtype));
      expect_close(sort(y.values).values.value(), y.values.value());
      expect_close(eigh(any + any).values.value(), y.values.value(), tolerance(dtype));
    }
  expect_values(eigh(Tensor::of<double>({2, 2}, {0, 2, 2, 0})).values.value(), {-2, 2});
}

TEST_CASE("gradients are the formulas of matrix calculus") {
  Tape tape;
  const Variable x = tape.watch(positive_definite({3, 3}, 7));
  const Variable inverted = inverse(x.value());
  const auto slope = [&](const Variable& y) {
    return tape.gradients(y, {.retain = true})[x].value();
  };
  expect_close(slope(logdet(x)), transpose(inverted).value());
  expect_close(slope(det(x)), (transpose(inverted) * det(x.value())).value());
  expect_close(slope(sum(eigh(x).values)), eye(3));  // the trace
  expect_close(slope(sum(square(svd(x).s))), (detach(x) * 2.0).value());
  expect_close(slope(sum(log(diagonal(cholesky(x)))) * 2.0), inverted.value());
}

TEST_CASE("what has no gradient says so, and what has one gives it") {
  const auto slope = [](const Tensor& value, const std::function<Variable(const Variable&)>& f) {
    Tape tape;
    const Variable x = tape.watch(value);
    return tape.gradients(sum(f(x)))[x].value();
  };
  const Tensor one = eye(2);
  expect_close(slope(one, [](const Variable& x) { return svd(x).s; }), one);
  expect_close(slope(one, [](const Variable& x) { return eigh(x).values; }), one);
  expect_error<ArgumentError>([&] { slope(one, [](const Variable& x) { return svd(x).u; }); },
                              {"svd", "matrix 0", "equal values"});
  expect_error<ArgumentError>(
      [&] { slope(one, [](const Variable& x) { return eigh(x).vectors; }); },
      {"eigh", "matrix 0", "equal values"});
  expect_error<ArgumentError>(
      [&] {
        slope(Tensor::of<double>({2, 1}, {0, 0}), [](const Variable& x) { return svd(x).u; });
      },
      {"svd", "singular"});
  expect_error<ArgumentError>([&] { slope(singular(), [](const Variable& x) { return det(x); }); },
                              {"det", "matrix 1", "singular"});
}

TEST_CASE("matrices outside the domain are named by operation and number") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_error<ArgumentError>([] { inverse(singular()); },
                              {"inverse", "matrix 1", "[2,2,2]", "singular"});
  expect_error<ArgumentError>(
      [] {
        solve(singular(), ones({2, 1}, Dtype::float64));
      },
      {"solve", "matrix 1", "singular"});
  expect_error<ArgumentError>([] { cholesky(singular()); },
                              {"cholesky", "matrix 1", "not positive definite"});
  expect_error<ArgumentError>([] { logdet(Variable(eye(3)) * -1.0); }, {"logdet", "slogdet"});
  for (double bad : {nan, HUGE_VAL}) {
    const Variable x = full({2, 2}, bad);
    expect_error<ArgumentError>([&] { inverse(x); }, {"inverse", "[2,2]", "NaN"});
    expect_error<ArgumentError>([&] { cholesky(x); }, {"cholesky", "NaN"});
    expect_error<ArgumentError>([&] { det(x); }, {"det", "NaN"});
    expect_error<ArgumentError>([&] { svd(x); }, {"svd", "NaN"});
    expect_error<ArgumentError>([&] { eigh(x); }, {"eigh", "NaN"});
  }
}

TEST_CASE("linear algebra refuses what is no matrix, by name") {
  const Variable oblong = zeros({2, 3, 4});
  expect_error<ShapeError>([&] { inverse(oblong); }, {"inverse", "[2,3,4]", "square", "3 and 4"});
  expect_error<ShapeError>([&] { solve(oblong, oblong); }, {"solve", "square"});
  expect_error<ShapeError>([&] { cholesky(oblong); }, {"cholesky", "square"});
  expect_error<ShapeError>([&] { det(oblong); }, {"det", "square"});
  expect_error<ShapeError>([&] { slogdet(oblong); }, {"slogdet", "square"});
  expect_error<ShapeError>([&] { eigh(oblong); }, {"eigh", "square"});
  expect_error<ShapeError>([] { svd(zeros({3})); }, {"svd", "[3]", "matrix"});
  expect_error<DtypeError>([] { svd(arange(4).reshape({2, 2})); }, {"svd", "int64 [2,2]"});
  expect_error<DtypeError>([] { inverse(Variable()); }, {"inverse", "undefined"});
  const Variable one = eye(2);
  expect_error<ShapeError>(
      [&] {
        solve(one, zeros({3, 1}, Dtype::float64));
      },
      {"solve", "[2,2]", "[3,1]", "2 rows"});
  expect_error<ShapeError>([&] { solve(one, zeros({2}, Dtype::float64)); }, {"solve", "[2]"});
  expect_error<DtypeError>([&] { solve(one, zeros({2, 1})); }, {"solve", "float32 [2,1]"});
  expect_error<ShapeError>(
      [&] {
        solve(broadcast_to(one, {2, 2, 2}), zeros({3, 2, 1}, Dtype::float64));
      },
      {"solve", "broadcast"});
}

}  // namespace unroll::testing
