#include "lstm_problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace benchmarks {
namespace {

double difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 0.0;
  double apart = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    largest = std::max(largest, std::abs(static_cast<double>(a[k])));
    const double here = std::abs(static_cast<double>(a[k]) - static_cast<double>(b[k]));
    if (!(here <= apart)) apart = here;  // a NaN stays
  }
  return apart / largest;
}

}  // namespace

std::vector<float> transposed(const std::vector<float>& matrix, std::size_t rows,
                              std::size_t columns) {
  std::vector<float> result(matrix.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) result[j * rows + i] = matrix[i * columns + j];
  return result;
}

LstmProblem::LstmProblem(Size sizes) : size(sizes) {
  const auto rows = static_cast<std::size_t>(size.steps) * static_cast<std::size_t>(size.batch);
  const auto hidden = static_cast<std::size_t>(size.hidden);
  const std::size_t gates = 4 * hidden;
  const double amplitude = weight_amplitude(size.hidden);
  x = pattern(0, rows * hidden, kInputAmplitude);
  w_ih = transposed(pattern(1, gates * hidden, amplitude), gates, hidden);
  w_hh = transposed(pattern(2, gates * hidden, amplitude), gates, hidden);
  bias = pattern(3, gates, amplitude);
  const std::vector<float> second = pattern(4, gates, amplitude);
  for (std::size_t k = 0; k < gates; ++k) bias[k] += second[k];
}

double difference(const LstmNumbers& a, const LstmNumbers& b) {
  return std::max({difference(a.outputs, b.outputs), difference(a.x, b.x),
                   difference(a.w_ih, b.w_ih), difference(a.w_hh, b.w_hh),
                   difference(a.bias, b.bias)});
}

}  // namespace benchmarks
