#pragma once

#include <autograd/ops/layout.hpp>
#include <nn/recurrent/recurrent.hpp>

#include <cmath>
#include <complex>
#include <cstddef>
#include <string>
#include <vector>

#include "expect.hpp"
#include "numbers.hpp"

/// What tests of linear cells share.
namespace unroll::testing {

/// The layer in float64.
inline nn::Recurrent wide(nn::Recurrent rnn) {
  rnn.to(Dtype::float64);
  return rnn;
}

/// The value of a parameter as numbers, by its name in the cell.
inline std::vector<double> numbers_of(const nn::Recurrent& rnn, const std::string& name) {
  for (const nn::Module::Named& named : rnn.named_parameters())
    if (named.name == name + "_l0") return named.parameter.value().to_vector<double>();
  FAIL("there is no parameter " << name);
  return {};
}

/// The scan over all steps, the steps one by one and the stream of pieces of one step give the same
/// outputs and state.
inline void expect_one_definition(const nn::Recurrent& layer) {
  const nn::Recurrent rnn = wide(layer);
  const Tensor x = random({6, 2, rnn.cell().inputs()}, 71);
  const nn::Sequence scanned = rnn(x);
  const nn::Sequence stepped = rnn.stepwise()(x);
  nn::State carried;
  std::vector<Variable> outputs;
  for (Index t = 0; t < 6; ++t) {
    auto [output, state] = rnn(x.slice(0, t, t + 1), carried);
    outputs.push_back(output);
    carried = state;
  }
  expect_close(stepped.outputs.value(), scanned.outputs.value(), 1e-12);
  expect_close(concat(outputs, 0).value(), scanned.outputs.value(), 1e-12);
  expect_close(stepped.state[0].value(), scanned.state[0].value(), 1e-12);
  expect_close(carried[0].value(), scanned.state[0].value(), 1e-12);
}

inline double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// The complex numbers of `[2,...]`, real and imaginary parts.
inline std::vector<std::complex<double>> complex_matrix(const std::vector<double>& parts) {
  const std::size_t size = parts.size() / 2;
  std::vector<std::complex<double>> numbers;
  for (std::size_t i = 0; i < size; ++i) numbers.emplace_back(parts[i], parts[size + i]);
  return numbers;
}

/// Row `row` of the product of a row-major matrix with a vector.
inline double product_row(const std::vector<double>& matrix, Index row,
                          const std::vector<double>& x) {
  double sum = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += matrix[static_cast<std::size_t>(row) * x.size() + i] * x[i];
  return sum;
}

/// The input of sequence b at step t, of `x: [T,B,I]`.
inline std::vector<double> input_at(const Tensor& x, Index t, Index b) {
  return x.select(0, t).select(0, b).to_vector<double>();
}

}  // namespace unroll::testing
