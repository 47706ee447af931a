#include "evaluate.hpp"

#include <fmt/core.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>

namespace char_lm {

Evaluation evaluate(const Model& model, std::span<const std::int32_t> text) {
  // Streams long enough that their first characters, predicted from little, hardly count.
  constexpr Index kLength = 1000, kMostStreams = 64, kSteps = 64;
  const auto size = static_cast<Index>(text.size());
  const Streams streams(text, std::clamp(size / kLength, Index{1}, kMostStreams));

  Evaluation result;
  unroll::nn::States states;
  for (Index begin = 0; begin < streams.length(); begin += kSteps) {
    const auto [inputs, targets] = streams.batch(begin, kSteps);
    auto [logits, after] = model(inputs, states);
    states = std::move(after);
    result.nats += cross_entropy(logits, targets).item() * static_cast<double>(targets.size());
    result.characters += targets.size();
  }
  result.nats /= static_cast<double>(result.characters);
  if (!std::isfinite(result.nats))
    throw unroll::Error("evaluate: the model's output is not finite; its weights are too large");
  return result;
}

void run_eval(const EvalOptions& options) {
  const Model model = Model::load(options.model);
  const std::u32string text = read_text(options.text);
  if (text.size() < 2)
    throw unroll::FormatError("text: expected at least 2 characters, got 1: nothing to predict");
  const std::vector<std::int32_t> numbers = model.vocabulary().encode(text, "text");
  const Evaluation result = evaluate(model, numbers);
  fmt::print("{:.4f} bits per character over {} characters ({:.4f} nats, perplexity {:.3f})\n",
             result.bits(), result.characters, result.nats, std::exp(result.nats));
  fmt::print("{:.4f} bits per character by the text's own character frequencies alone\n",
             unigram_entropy(numbers, model.vocabulary().size()));
}

}  // namespace char_lm
