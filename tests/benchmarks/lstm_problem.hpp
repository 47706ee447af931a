#pragma once

#include "pattern.hpp"

#include <cstddef>
#include <vector>

namespace benchmarks {

/// One layer and its input, in the layout of the opponents: weights `[inputs, 4 hidden]`, gates in
/// the order i, f, g, o.
struct LstmProblem {
  explicit LstmProblem(Size sizes);

  Size size;
  std::vector<float> x;     ///< [T,B,H]
  std::vector<float> w_ih;  ///< [H,4H]
  std::vector<float> w_hh;  ///< [H,4H]
  std::vector<float> bias;  ///< [4H]
};

/// What one step makes of it: the outputs, and the gradients of their sum.
struct LstmNumbers {
  std::vector<float> outputs;     ///< [T,B,H]
  std::vector<float> x;           ///< [T,B,H]
  std::vector<float> w_ih, w_hh;  ///< [H,4H]
  std::vector<float> bias;        ///< [4H]
};

/// `[rows, columns]` to `[columns, rows]`.
std::vector<float> transposed(const std::vector<float>& matrix, std::size_t rows,
                              std::size_t columns);

/// The largest difference, as a share of the largest number of that tensor.
double difference(const LstmNumbers& a, const LstmNumbers& b);

}  // namespace benchmarks
