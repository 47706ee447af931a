#include "train.hpp"

#include "training.hpp"

#include <fmt/format.h>
#include <autograd/kernels/threads.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/io/safetensors.hpp>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <optional>

namespace char_lm {
namespace {

using unroll::Error;

/// Finds out before the training whether its result can be saved, and that it replaces nothing but
/// a model, and only when asked to. Returns the model to go on with, if that is what is asked for.
std::optional<Model> check_target(const TrainOptions& options) {
  const std::string& path = options.model;
  if (options.resume && !std::filesystem::exists(path))
    throw Error(fmt::format("--resume: there is no model \"{}\" to go on with", path));
  unroll::nn::check_writable(path);
  if (!std::filesystem::exists(path)) return {};
  std::optional<Model> model;
  try {
    model = Model::load(path);
  } catch (const Error& error) {
    throw Error(
        fmt::format("--model: \"{}\" exists and is not a model of char_lm, so it is not "
                    "overwritten; give another name or remove it ({})",
                    path, error.what()));
  }
  if (!options.resume && !options.overwrite)
    throw Error(
        fmt::format("--model: \"{}\" exists; --resume trains that model further, --overwrite "
                    "replaces it, and another name keeps it",
                    path));
  if (!options.resume) model.reset();
  return model;
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

/// A model that is trained further knows its characters already.
Corpus read_corpus(const TrainOptions& options, const Model* before) {
  const std::u32string text = read_text(options.text);
  const auto characters = static_cast<Index>(text.size());
  check_length(characters, options);
  Vocabulary vocabulary = before ? before->vocabulary() : Vocabulary(text);
  std::vector<std::int32_t> numbers = vocabulary.encode(text, "text");
  return {std::move(vocabulary), std::move(numbers),
          validation_size(characters, options.validation)};
}

}  // namespace

void run_train(const TrainOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads what is shown may go away, the training goes on
  const std::optional<Model> before = check_target(options);
  const Corpus corpus = read_corpus(options, before ? &*before : nullptr);

  if (options.threads > 0) unroll::set_threads(options.threads);
  unroll::seed(options.seed);
  Training training(options, corpus, before ? *before : Model(corpus.vocabulary, options.network));
  training.describe();
  training.run();
  training.report();
}

}  // namespace char_lm
