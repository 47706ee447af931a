#pragma once

#include "model.hpp"

#include <span>
#include <vector>

namespace lm {

/// Reads one sequence symbol by symbol and predicts the next symbol. Everything that does so uses
/// the model through this class alone. Shares the model's parameters: later changes count.
class Predictor {
 public:
  explicit Predictor(const Model& model);

  /// Updates the state with one symbol, a number below size(). Throws Error when the logits are not
  /// finite.
  void read(Index symbol);
  /// Forgets everything read.
  void reset();

  /// Number of symbols that the model knows.
  Index size() const { return static_cast<Index>(logits_.size()); }
  /// Of the next symbol; all 0 before the first.
  std::span<const double> logits() const { return logits_; }
  /// Natural logarithms of the probabilities of the next symbol, `size()` of them.
  std::vector<double> log_probabilities() const;
  /// What the readout reads, the outputs of the last layer; empty before the first symbol.
  std::span<const float> hidden() const;
  /// Of all layers after the last symbol.
  const unroll::nn::States& states() const { return states_; }

 private:
  Model model_;
  unroll::nn::States states_;
  unroll::Tensor hidden_;
  std::vector<double> logits_;
};

}  // namespace lm
