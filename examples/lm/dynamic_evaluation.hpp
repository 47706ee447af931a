#pragma once

#include "model.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace lm {

struct DynamicOptions {
  double rate = 0;      ///< learning rate; 0: the weights stay
  double decay = 0.01;  ///< lambda, the step back to the trained weights; from 0 to 1
  Index steps = 20;     ///< symbols in a segment
};

/// Dynamic evaluation by SGD (Krause et al., Dynamic evaluation of neural sequence models, 2018,
/// eq. 3 to 5): after each segment of the text that is evaluated,
///
///     theta <- theta - rate grad L(segment) + decay (theta_trained - theta),
///
/// where L is the mean surprise in nats of the segment's symbols.
class DynamicEvaluation {
 public:
  /// Works on a copy of the model. Throws ArgumentError for an option outside its range.
  DynamicEvaluation(const Model& model, const DynamicOptions& options);

  /// The copy, whose weights change.
  const Model& model() const { return model_; }
  /// Takes the step that follows a segment: `inputs` from the state `before`, each predicting the
  /// symbol of `targets` at its place. Throws ArgumentError for segments that are empty or differ
  /// in length, Error when the weights run away.
  void adapt(std::span<const std::int32_t> inputs, std::span<const std::int32_t> targets,
             const unroll::nn::States& before);
  /// Throws Error with advice, for weights that became too large.
  [[noreturn]] static void throw_ran_away();

 private:
  DynamicOptions options_;
  Model model_;
  std::vector<unroll::Tensor> trained_;
};

}  // namespace lm
