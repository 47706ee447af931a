#include "sample.hpp"

#include "predictor.hpp"

#include <fmt/core.h>
#include <unistd.h>
#include <autograd/autograd.hpp>
#include <nn/data/text_file.hpp>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <vector>

namespace lm {
namespace {

/// Draws a number with probability proportional to its weight.
Index draw(const std::vector<double>& weights, unroll::Generator& generator) {
  double left = generator.uniform() * std::accumulate(weights.begin(), weights.end(), 0.0);
  Index chosen = 0;
  for (std::size_t k = 0; k < weights.size() && left >= 0; ++k) {
    if (weights[k] == 0) continue;  // rounding must not pick what cannot come
    chosen = static_cast<Index>(k);
    left -= weights[k];
  }
  return chosen;
}

/// Continues text with symbols drawn from the model's predictions.
class Writer {
 public:
  Writer(const Model& model, const SampleOptions& options, std::FILE* out)
      : vocabulary_(model.vocabulary()), options_(options), out_(out), predictor_(model) {}

  /// Forgets what it has read and written.
  void reset() {
    predictor_.reset();
    seen_.clear();
    before_.clear();
  }

  void read(const std::vector<std::int32_t>& symbols) {
    for (const std::int32_t symbol : symbols) advance(symbol);
  }

  /// As after the end of a line.
  void read_line_break() {
    const bool words = vocabulary_.level() == unroll::nn::Level::word;
    advance(std::max(vocabulary_.find(words ? "<eos>" : "\n"), 0));
    seen_.clear();
  }
  bool has_read() const { return !predictor_.states().empty(); }

  void write(unroll::Generator& generator) {
    for (Index i = 0; i < options_.length; ++i) {
      const Index next = draw(filter(predictor_.logits(), seen_, options_.filter), generator);
      fmt::print(out_, "{}", vocabulary_.written_after(before_, next));
      std::fflush(out_);  // one watches it write
      advance(static_cast<std::int32_t>(next));
    }
    fmt::print(out_, "\n");
    std::fflush(out_);
  }

 private:
  void advance(std::int32_t symbol) {
    predictor_.read(symbol);
    before_ = vocabulary_.written_after(before_, symbol);
    const bool all = options_.repetition_window == 0;
    if (options_.filter.repetition_penalty == 1 ||
        (all && std::find(seen_.begin(), seen_.end(), symbol) != seen_.end()))
      return;
    seen_.push_back(symbol);
    if (!all && std::ssize(seen_) > options_.repetition_window) seen_.erase(seen_.begin());
  }

  const unroll::nn::Vocabulary& vocabulary_;
  const SampleOptions& options_;
  std::FILE* out_;
  Predictor predictor_;
  std::vector<std::int32_t> seen_;  // in the window, or each once without one
  std::string before_;              // the last symbol as it was written
};

std::string prompt_of(const SampleOptions& options) {
  if (options.prompt_file.empty()) return options.prompt;
  return std::string(unroll::nn::TextFile(options.prompt_file).bytes());
}

/// What a model of words has no symbol for is <unk> to it.
std::vector<std::int32_t> encode(const Model& model, const std::string& text,
                                 const std::string& source) {
  return model.vocabulary().encode(
      text, source,
      model.vocabulary().unknown() ? unroll::nn::Unknown::map : unroll::nn::Unknown::error);
}

}  // namespace

void sample(const Model& model, const SampleOptions& options, std::FILE* out) {
  const std::string prompt = prompt_of(options);
  const std::vector<std::int32_t> symbols =
      encode(model, prompt, options.prompt_file.empty() ? "--prompt" : "--prompt-file");
  unroll::Generator generator(options.seed);
  Writer writer(model, options, out);
  for (Index i = 0; i < options.samples; ++i) {
    if (options.samples > 1)
      fmt::print(out, "{}--- sample {} of {} ---\n", i > 0 ? "\n" : "", i + 1, options.samples);
    writer.reset();
    writer.read(symbols);
    if (symbols.empty()) writer.read_line_break();
    fmt::print(out, "{}", prompt);
    writer.write(generator);
  }
}

void converse(const Model& model, const SampleOptions& options, std::istream& in, std::FILE* out,
              std::FILE* errors) {
  unroll::Generator generator(options.seed);
  Writer writer(model, options, out);
  writer.read(encode(model, prompt_of(options), "--prompt"));
  const bool terminal = &in == &std::cin && ::isatty(STDIN_FILENO) == 1;
  const auto ask = [&] {
    if (!terminal) return;
    fmt::print(out, "> ");
    std::fflush(out);
  };
  ask();
  for (std::string line; std::getline(in, line); ask()) {
    try {
      writer.read(encode(model, line, "line"));
    } catch (const unroll::FormatError& error) {
      fmt::print(errors, "lm: {}\n", error.what());
      continue;
    }
    if (!writer.has_read()) writer.read_line_break();
    writer.write(generator);
  }
}

void run_sample(const SampleOptions& options) {
  const Model model = Model::load(options.model);
  if (options.interactive)
    converse(model, options, std::cin, stdout, stderr);
  else
    sample(model, options, stdout);
}

}  // namespace lm
