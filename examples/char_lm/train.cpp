#include "train.hpp"

#include "training.hpp"

#include <fmt/format.h>
#include <autograd/error.hpp>
#include <autograd/random.hpp>
#include <autograd/threads.hpp>
#include <nn/safetensors.hpp>

#include <cmath>
#include <filesystem>

namespace char_lm {
namespace {

using unroll::Error;

/// Finds out before the training whether its result can be saved, and that it replaces nothing but
/// a model.
void check_target(const std::string& path) {
  unroll::nn::check_writable(path);
  if (!std::filesystem::exists(path)) return;
  try {
    Model::load(path);
  } catch (const Error& error) {
    throw Error(
        fmt::format("--model: \"{}\" exists and is not a model of char_lm, so it is not "
                    "overwritten; give another name or remove it ({})",
                    path, error.what()));
  }
}

Index validation_size(Index characters, double fraction) {
  return static_cast<Index>(std::ceil(static_cast<double>(characters) * fraction));
}

/// Throws unless one batch can be cut from the training part, and something be predicted in the
/// validation part.
void check_length(Index characters, const TrainOptions& options) {
  const auto enough = [&](Index total) {
    const Index validation = validation_size(total, options.validation);
    return total - validation > options.batch * options.steps &&
           (validation >= 2 || options.validation == 0);
  };
  if (enough(characters)) return;
  Index needed = characters;
  while (!enough(needed)) needed += 1 + needed / 1000000;
  throw Error(
      fmt::format("text: {} characters are too few: --batch {}, --steps {} and --validation {} "
                  "need at least {}",
                  characters, options.batch, options.steps, options.validation, needed));
}

Corpus read_corpus(const TrainOptions& options) {
  const std::u32string text = read_text(options.text);
  const auto characters = static_cast<Index>(text.size());
  check_length(characters, options);
  Vocabulary vocabulary(text);
  std::vector<std::int32_t> numbers = vocabulary.encode(text, "text");
  return {std::move(vocabulary), std::move(numbers),
          validation_size(characters, options.validation)};
}

}  // namespace

void run_train(const TrainOptions& options) {
  check_target(options.model);
  const Corpus corpus = read_corpus(options);

  if (options.threads > 0) unroll::set_threads(options.threads);
  unroll::seed(options.seed);
  Training training(options, corpus);
  training.describe();
  training.run();
  training.report();
}

}  // namespace char_lm
