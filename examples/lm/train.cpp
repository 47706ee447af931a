#include "train.hpp"

#include "corpus.hpp"
#include "evaluate.hpp"
#include "option_files.hpp"
#include "training.hpp"

#include <fmt/core.h>
#include <autograd/kernels/threads.hpp>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/io/atomic_file.hpp>
#include <nn/io/folder.hpp>
#include <nn/io/safetensors.hpp>

#include <csignal>
#include <filesystem>

namespace lm {
namespace {

namespace fs = std::filesystem;
namespace nn = unroll::nn;
using unroll::Error;

/// Finds out before the training whether its result can be saved, and that it replaces nothing but
/// a model and its run, and only when asked to.
void check_target(const TrainOptions& options) {
  const std::string& path = options.model;
  nn::check_writable(path);
  if (options.resume) return;
  if (fs::exists(path)) {
    try {
      Model::load(path);
    } catch (const Error& error) {
      throw Error(
          fmt::format("--model: \"{}\" exists and is not a model of lm, so it is not overwritten; "
                      "give another name or remove it ({})",
                      path, error.what()));
    }
  }
  const bool run = fs::exists(settings_file(path));
  if ((fs::exists(path) || run) && !options.overwrite)
    throw Error(
        fmt::format("--model: \"{}\" exists; --resume goes on with its run, --overwrite replaces "
                    "it, and another name keeps it",
                    run ? run_folder(path) : path));
  // Only what is a run is removed.
  if (run) fs::remove_all(run_folder(path));
  // A run that was killed before it began leaves half a file of settings.
  nn::AtomicFile::remove_abandoned(settings_file(path));
  if (fs::exists(run_folder(path)) && !fs::is_empty(run_folder(path)))
    throw Error(
        fmt::format("--model: the folder \"{}\" is in the way of the run; give another name",
                    run_folder(path)));
}

void write_settings(const TrainOptions& options, const std::string& settings) {
  nn::make_folder(run_folder(options.model), "--model");
  nn::AtomicFile file(settings_file(options.model));
  file.write(settings.data(), settings.size());
  file.commit();
}

void warn_about(const Corpus& corpus) {
  for (const nn::TextFile& file : corpus.files) {
    const auto [mark, returns] = file.properties();
    if (mark || returns > 0)
      fmt::print(stderr,
                 "lm: \"{}\" has {}{}{}; they are read as symbols like others; --normalise leaves "
                 "them out\n",
                 file.name(), mark ? "a byte order mark" : "", mark && returns > 0 ? " and " : "",
                 returns > 0 ? fmt::format("{} carriage returns", returns) : "");
  }
}

}  // namespace

void run_train(const TrainOptions& options, const std::string& settings) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads what is shown may go away, the training goes on
  check_target(options);
  const Corpus corpus = read_corpus(options);
  warn_about(corpus);
  if (options.threads > 0) unroll::set_threads(options.threads);
  unroll::seed(options.seed);
  Training training(options, corpus, Model(corpus.vocabulary, options.network));
  if (!options.resume) write_settings(options, settings);
  training.describe();
  training.run();
  if (!options.quiet) training.report();
  if (corpus.test.empty() || !fs::exists(options.model)) return;
  const Model best = Model::load(options.model);
  nn::TokenStreams test = side_by_side(corpus.test, corpus.vocabulary);
  const Evaluation result = evaluate(best, test);
  fmt::print("test: {:.4f} nats per symbol, {:.4f} bits, perplexity {:.3f}\n", result.nats,
             result.bits(), result.perplexity());
}

}  // namespace lm
