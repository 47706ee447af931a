#include "evaluate.hpp"

#include "predictor.hpp"

#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace lm {

double Evaluation::perplexity() const { return std::exp(nats); }

unroll::nn::TokenStreams side_by_side(std::vector<std::string_view> texts,
                                      const unroll::nn::Vocabulary& vocabulary) {
  // Streams long enough that their first symbols, predicted from little, hardly count.
  constexpr std::size_t kLength = 1000, kMostStreams = 64;
  std::size_t bytes = 0;
  for (const std::string_view text : texts) bytes += text.size();
  const std::size_t streams = std::clamp<std::size_t>(bytes / kLength, 1, kMostStreams);
  return {std::move(texts), vocabulary, {.streams = static_cast<Index>(streams)}};
}

Evaluation evaluate(const Model& model, unroll::nn::TokenStreams& text) {
  constexpr Index kSteps = 64;
  Evaluation result;
  unroll::nn::States states;
  for (text.restart(); !text.at_end();) {
    const auto [inputs, targets] = text.next(kSteps);
    auto [outputs, after] = model.hidden(inputs, states);
    states = std::move(after);
    result.nats += model.loss(outputs, targets).item() * static_cast<double>(targets.size());
    result.symbols += targets.size();
  }
  result.nats /= static_cast<double>(result.symbols);
  if (!std::isfinite(result.nats))
    throw unroll::Error("evaluate: the model's output is not finite; its weights are too large");
  return result;
}

std::vector<double> surprises(const Model& model, std::span<const std::int32_t> text,
                              const AdaptOptions& options) {
  NeuralCache cache(options.cache);
  std::optional<DynamicEvaluation> dynamic;
  if (options.dynamic.rate > 0) dynamic.emplace(model, options.dynamic);
  Predictor predictor(dynamic ? dynamic->model() : model);

  std::vector<double> result;
  unroll::nn::States before;  // the segment
  std::size_t begin = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    try {
      predictor.read(text[i]);
    } catch (const unroll::Error&) {
      if (!dynamic) throw;
      DynamicEvaluation::throw_ran_away();
    }
    const std::int32_t target = text[i + 1];
    double log_p = predictor.log_probabilities()[static_cast<std::size_t>(target)];
    if (options.cache.size > 0) {
      log_p = std::log(cache.mix(predictor.hidden(), target, std::exp(log_p)));
      cache.add(predictor.hidden(), target);
    }
    result.push_back(-log_p);

    const std::size_t read = i + 1 - begin;
    if (dynamic && read == static_cast<std::size_t>(options.dynamic.steps)) {
      dynamic->adapt(text.subspan(begin, read), text.subspan(begin + 1, read), before);
      before = predictor.states();
      begin = i + 1;
    }
  }
  return result;
}

}  // namespace lm
