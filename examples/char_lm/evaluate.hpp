#pragma once

#include "model.hpp"

#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <vector>

namespace char_lm {

struct Evaluation {
  double nats = 0;       ///< mean of -log probability over the characters
  Index characters = 0;  ///< that were predicted
  double bits() const { return nats / std::numbers::ln2; }
};

/// How well the model predicts each character of a text of at least two from those before it. Long
/// texts are cut into streams that are read side by side; at the beginning of each the model knows
/// nothing.
Evaluation evaluate(const Model& model, std::span<const std::int32_t> text);

struct EvalOptions {
  std::string model = "char_lm.safetensors";
  std::vector<std::string> text;
};

/// The command `eval`.
void run_eval(const EvalOptions& options);

}  // namespace char_lm
