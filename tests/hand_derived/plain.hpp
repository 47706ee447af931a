#pragma once

#include <doctest/doctest.h>
#include <autograd/tensor/tensor.hpp>
#include <nn/module.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// Matrices of double as plain loops: what the hand-derived formulas are computed with. Nothing
/// here knows a derivative.
namespace plain {

using unroll::Index;
using unroll::Tensor;

/// `rows x columns` numbers, row-major. A vector is a matrix with one column.
struct Matrix {
  Index rows = 0;
  Index columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(Index m, Index n) : rows(m), columns(n), values(static_cast<std::size_t>(m * n)) {}

  double& operator()(Index i, Index j = 0) {
    return values[static_cast<std::size_t>(i * columns + j)];
  }
  double operator()(Index i, Index j = 0) const {
    return values[static_cast<std::size_t>(i * columns + j)];
  }
};

/// Numbers spread over (-1, 1), the same on every machine.
inline Matrix sample(Index rows, Index columns, unsigned seed) {
  std::mt19937_64 engine(seed);
  Matrix x(rows, columns);
  for (double& value : x.values) value = std::ldexp(static_cast<double>(engine() >> 11), -52) - 1.0;
  return x;
}

/// One sample for each of `count` time steps.
inline std::vector<Matrix> samples(Index count, Index rows, Index columns, unsigned seed) {
  std::vector<Matrix> all;
  for (Index t = 0; t < count; ++t)
    all.push_back(sample(rows, columns, seed * 100 + static_cast<unsigned>(t)));
  return all;
}

/// f of each element.
template <class F>
Matrix map(F f, Matrix a) {
  for (double& value : a.values) value = f(value);
  return a;
}

/// f of each pair of elements.
template <class F>
Matrix zip(F f, Matrix a, const Matrix& b) {
  REQUIRE(a.rows == b.rows);
  REQUIRE(a.columns == b.columns);
  for (std::size_t k = 0; k < a.values.size(); ++k) a.values[k] = f(a.values[k], b.values[k]);
  return a;
}

inline Matrix operator+(Matrix a, const Matrix& b) {
  return zip([](double p, double q) { return p + q; }, std::move(a), b);
}
inline Matrix operator-(Matrix a, const Matrix& b) {
  return zip([](double p, double q) { return p - q; }, std::move(a), b);
}
inline Matrix operator*(double c, Matrix a) {
  return map([c](double p) { return c * p; }, std::move(a));
}
inline Matrix operator-(Matrix a) { return -1.0 * std::move(a); }

/// The product of the matching elements: the lectures' circled dot.
inline Matrix hadamard(Matrix a, const Matrix& b) {
  return zip([](double p, double q) { return p * q; }, std::move(a), b);
}

inline Matrix transposed(const Matrix& a) {
  Matrix result(a.columns, a.rows);
  for (Index i = 0; i < a.rows; ++i)
    for (Index j = 0; j < a.columns; ++j) result(j, i) = a(i, j);
  return result;
}

/// The matrix product a b.
inline Matrix product(const Matrix& a, const Matrix& b) {
  REQUIRE(a.columns == b.rows);
  Matrix result(a.rows, b.columns);
  for (Index i = 0; i < a.rows; ++i)
    for (Index k = 0; k < a.columns; ++k)
      for (Index j = 0; j < b.columns; ++j) result(i, j) += a(i, k) * b(k, j);
  return result;
}

/// g x^T.
inline Matrix outer(const Matrix& g, const Matrix& x) { return product(g, transposed(x)); }

inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

inline double largest(const Matrix& a) {
  double most = 0.0;
  for (double value : a.values) most = std::max(most, std::abs(value));
  return most;
}

/// The matrix as a float64 tensor of this shape, by default `[rows,columns]`.
inline Tensor tensor(const Matrix& a, unroll::Shape shape = {}) {
  if (shape.empty()) shape = {a.rows, a.columns};
  return Tensor::of(shape, a.values);
}

/// Matrices `[B,I]`, one a time step, as one tensor `[T,B,I]`; column vectors become `[T,1,I]`.
inline Tensor sequence(const std::vector<Matrix>& steps, bool columns = false) {
  std::vector<double> values;
  for (const Matrix& x : steps) values.insert(values.end(), x.values.begin(), x.values.end());
  const Matrix& x = steps.front();
  return Tensor::of(
      {static_cast<Index>(steps.size()), columns ? 1 : x.rows, columns ? x.rows : x.columns},
      values);
}

/// Gives a module's parameter the values of a matrix, in float64, and returns its handle.
inline unroll::Parameter set(const unroll::nn::Module& module, const std::string& name,
                             const Matrix& value) {
  for (unroll::nn::Module::Named& named : module.named_parameters())
    if (named.name == name) {
      named.parameter.set(tensor(value, named.parameter.shape()));
      return named.parameter;
    }
  throw std::invalid_argument("the module has no parameter " + name);
}

/// Elements agree to 1e-12 of their size; those below a hundredth of the largest, which are left
/// over when larger terms cancel, to 1e-12 of that hundredth. A formula that gives nothing but
/// zeros would prove nothing, so it is refused.
inline void check_close(const Tensor& actual, const Matrix& expected, const std::string& name) {
  INFO(name);
  REQUIRE(actual.dtype() == unroll::Dtype::float64);
  REQUIRE(actual.size() == static_cast<Index>(expected.values.size()));
  REQUIRE(largest(expected) > 0.0);
  const std::vector<double> values = actual.to_vector<double>();
  const double floor = largest(expected) / 100;
  std::string wrong;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double scale = std::max(std::abs(expected.values[k]), floor);
    if (!(std::abs(values[k] - expected.values[k]) <= 1e-12 * scale))
      wrong += "\n  element " + std::to_string(k) + " is " + std::to_string(values[k]) +
               ", by hand it is " + std::to_string(expected.values[k]);
  }
  CHECK_MESSAGE(wrong.empty(), wrong);
}

/// The opposite: the two differ by far more than rounding.
inline void check_differs(const Tensor& actual, const Matrix& other, const std::string& name) {
  INFO(name);
  REQUIRE(actual.size() == static_cast<Index>(other.values.size()));
  Matrix difference = other;
  const std::vector<double> values = actual.to_vector<double>();
  for (std::size_t k = 0; k < values.size(); ++k) difference.values[k] -= values[k];
  CHECK(largest(difference) > 1e-3 * largest(other));
}

}  // namespace plain
