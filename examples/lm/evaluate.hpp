#pragma once

#include "dynamic_evaluation.hpp"
#include "model.hpp"
#include "neural_cache.hpp"

#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lm {

struct Evaluation {
  double nats = 0;    ///< mean of -log probability over the symbols
  Index symbols = 0;  ///< that were predicted
  double bits() const { return nats / std::numbers::ln2; }
  double perplexity() const;
};

/// Texts as streams for evaluate(): one for a short text, up to 64 for a long one.
unroll::nn::TokenStreams side_by_side(std::vector<std::string_view> texts,
                                      const unroll::nn::Vocabulary& vocabulary);

/// How well the model predicts each symbol of a text from those before it, in each stream, at the
/// beginning of which the model knows nothing.
Evaluation evaluate(const Model& model, unroll::nn::TokenStreams& text);

/// How a model goes on learning from the text that it is evaluated on. Every symbol is predicted
/// before it is learnt from.
struct AdaptOptions {
  DynamicOptions dynamic = {};
  NeuralCacheOptions cache = {};
};

/// -log probability in nats of each symbol of the text but the first, which is read in one stream.
std::vector<double> surprises(const Model& model, std::span<const std::int32_t> text,
                              const AdaptOptions& options = {});

struct EvalOptions {
  std::string model = "lm.safetensors";
  std::vector<std::string> text;
  std::string unknown = "error";  ///< or "skip", "map": what becomes of unknown symbols
  std::string per_token = "";     ///< file for the surprise of each symbol
  bool json = false;
  AdaptOptions adapt = {};
};

/// The command `eval`.
void run_eval(const EvalOptions& options);

}  // namespace lm
