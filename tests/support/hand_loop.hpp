#pragma once

#include <nn/recurrent/recurrent.hpp>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "support/expect.hpp"
#include "support/numbers.hpp"
#include "support/weights.hpp"

/// A cell's equations as plain loops over double, one sequence at a time, for comparison with the
/// cell.
namespace unroll::testing {

/// Draws every parameter anew in float64. Scales of 1 and biases of 0 would hide their errors.
inline void randomize(const nn::Module& module, std::uint64_t seed) {
  for (Parameter& parameter : module.parameters())
    parameter.set(random(parameter.shape(), seed++, -0.9, 0.9));
}

/// The parameters of a layer by the names that the cell gives them.
class HandWeights {
 public:
  explicit HandWeights(const nn::Recurrent& rnn) {
    constexpr std::size_t kSuffix = 3;  // "_l0"
    for (const auto& [name, parameter] : rnn.named_parameters())
      values_[name.substr(0, name.size() - kSuffix)] = parameter.value().to_vector<double>();
  }

  /// Element k of a vector.
  double at(const std::string& name, Index k) const {
    return values_.at(name).at(static_cast<std::size_t>(k));
  }
  /// The inner product of row `row` of a matrix with v.
  double row(const std::string& name, Index row, const std::vector<double>& v) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < v.size(); ++k)
      sum += values_.at(name).at(static_cast<std::size_t>(row) * v.size() + k) * v[k];
    return sum;
  }

 private:
  std::map<std::string, std::vector<double>> values_;
};

/// The state of one sequence: each tensor as a vector.
using HandState = std::vector<std::vector<double>>;

struct HandSequence {
  std::vector<double> outputs;             ///< [T,B,O] in row-major order
  std::vector<std::vector<double>> state;  ///< each tensor [B,n] after the last step
};

/// Runs `step(x, state)`, which takes the input of a sequence at one step and changes its state, of
/// which the first tensor is the output. `start` holds a tensor [B,n] for each tensor of the state.
template <class F>
HandSequence run_by_hand(const Tensor& x, const std::vector<Tensor>& start, const F& step) {
  const auto row_of = [](const Tensor& rows, Index b) {
    return rows.select(0, b).to_vector<double>();
  };
  std::vector<HandState> states(static_cast<std::size_t>(x.size(1)));
  for (Index b = 0; b < x.size(1); ++b)
    for (const Tensor& tensor : start)
      states[static_cast<std::size_t>(b)].push_back(row_of(tensor, b));
  HandSequence result;
  for (Index t = 0; t < x.size(0); ++t) {
    for (Index b = 0; b < x.size(1); ++b) {
      HandState& state = states[static_cast<std::size_t>(b)];
      step(row_of(x.select(0, t), b), state);
      result.outputs.insert(result.outputs.end(), state[0].begin(), state[0].end());
    }
  }
  result.state.resize(start.size());
  for (const HandState& state : states)
    for (std::size_t k = 0; k < start.size(); ++k)
      result.state[k].insert(result.state[k].end(), state[k].begin(), state[k].end());
  return result;
}

/// A random start, a tensor [B,n] for each tensor of the state.
inline std::vector<Tensor> random_state(const nn::Recurrent& rnn, Index batch, std::uint64_t seed) {
  std::vector<Tensor> state;
  for (const Shape& shape : rnn.cell().state_shapes())
    state.push_back(random(nn::with_batch(batch, shape), seed++));
  return state;
}

inline nn::State as_state(const std::vector<Tensor>& tensors) {
  nn::State state;
  for (const Tensor& tensor : tensors) state.push_back(tensor);
  return state;
}

/// The layer has the outputs and the final state of `step`, over five steps of two sequences from a
/// random state. Its parameters must be float64.
template <class F>
void expect_by_hand(const nn::Recurrent& rnn, const F& step, double tolerance = 1e-12) {
  const Tensor x = random({5, 2, rnn.cell().inputs()}, 71, -2.0, 2.0);
  const std::vector<Tensor> start = random_state(rnn, 2, 72);
  const auto [outputs, state] = rnn(x, as_state(start));
  const HandSequence expected = run_by_hand(x, start, step);
  expect_values(outputs.value(), expected.outputs, tolerance);
  for (std::size_t k = 0; k < start.size(); ++k)
    expect_values(state[k].value(), expected.state[k], tolerance);
}

/// The parameter of a layer that the cell names so.
inline Parameter parameter_of(const nn::Recurrent& rnn, const std::string& name) {
  for (const auto& [path, parameter] : rnn.named_parameters())
    if (path == name + "_l0") return parameter;
  throw ArgumentError("there is no parameter " + name);
}

}  // namespace unroll::testing
