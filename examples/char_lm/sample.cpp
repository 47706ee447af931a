#include "sample.hpp"

#include "utf8.hpp"

#include <fmt/core.h>
#include <autograd/autograd.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace char_lm {
namespace {

/// Draws a number with probability proportional to e^(logit / temperature).
Index draw(std::vector<double> logits, double temperature, unroll::Generator& generator) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double total = 0;
  for (double& x : logits) {
    x = std::exp((x - largest) / temperature);
    total += x;
  }
  if (!std::isfinite(total))
    throw unroll::Error("sample: the model's output is not finite; its weights are too large");
  double left = generator.uniform() * total;
  Index chosen = 0;
  for (std::size_t k = 0; k < logits.size() && left >= 0; ++k) {
    if (logits[k] == 0) continue;  // rounding must not pick what cannot come
    chosen = static_cast<Index>(k);
    left -= logits[k];
  }
  return chosen;
}

}  // namespace

void sample(const Model& model, const SampleOptions& options, std::FILE* out) {
  const Vocabulary& vocabulary = model.vocabulary();
  const std::u32string prompt = decode_utf8(options.prompt, "--prompt");
  std::vector<std::int32_t> context = vocabulary.encode(prompt, "--prompt");
  // Without a prompt, as after the end of a line.
  if (context.empty())
    context = vocabulary.encode(
        vocabulary.contains(U'\n') ? U"\n" : vocabulary.symbols().substr(0, 1), "");

  unroll::Generator generator(options.seed);
  unroll::nn::States states;
  const auto advance = [&](Index number) {
    auto [logits, after] = model(unroll::Tensor::of<std::int64_t>({1, 1}, {number}), states);
    states = std::move(after);
    return logits.value();
  };

  fmt::print(out, "{}", encode_utf8(prompt));
  unroll::Tensor logits;
  for (const std::int32_t number : context) logits = advance(number);
  for (Index i = 0; i < options.length; ++i) {
    const Index next = draw(logits.to_vector<double>(), options.temperature, generator);
    const char32_t symbol = vocabulary.symbol(next);
    fmt::print(out, "{}", encode_utf8({&symbol, 1}));
    std::fflush(out);  // one watches it write
    logits = advance(next);
  }
  fmt::print(out, "\n");
}

void run_sample(const SampleOptions& options) {
  sample(Model::load(options.model), options, stdout);
}

}  // namespace char_lm
