#include "arguments.hpp"
#include "cells.hpp"
#include "commands.hpp"
#include "option_files.hpp"
#include "train.hpp"

#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

namespace lm {
namespace {

void add_text_options(CLI::App& command, TrainOptions& options) {
  const auto files = [&](const char* names, std::vector<std::string>& to, const char* help) {
    return command.add_option(names, to, help)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  files("text,--text", options.text, "text files or folders of them; - is the standard input")
      ->required();
  files("--valid", options.valid, "texts to validate on, in place of a part of the text");
  files("--test", options.test, "texts on which the best model is measured in the end");
  command
      .add_option("--validation", options.validation,
                  "fraction of the text, at its end, to validate on")
      ->check(inside(0, true, 0.9))
      ->capture_default_str();
  command
      .add_option("--level", options.level,
                  "what a symbol is: byte, character (a Unicode code point) or word (between "
                  "spaces; each line ends with <eos>)")
      ->check(one_of({"byte", "character", "word"}))
      ->capture_default_str();
  command
      .add_option("--max-vocabulary", options.max_vocabulary,
                  "the most frequent symbols, <unk> for the others; 0: all")
      ->check(between<Index>(0, kMaxCount))
      ->capture_default_str();
  command.add_option("--min-count", options.min_count, "rarer symbols become <unk>")
      ->check(between<Index>(1, kMaxCount))
      ->capture_default_str();
  command.add_flag("--lower-case", options.lower_case, "words: A to Z are read as a to z");
  command.add_flag("--normalise", options.normalise,
                   "leave out byte order marks and carriage returns at ends of lines");
}

void add_network_options(CLI::App& command, NetworkOptions& network) {
  command
      .add_option("--cell", network.cell,
                  fmt::format("NAME or NAME:OPTION=VALUE,...; {}", fmt::join(cell_names(), ", ")))
      ->capture_default_str();
  const auto size = [&](const char* name, Index& to, Index most, const char* help) {
    command.add_option(name, to, help)->check(between<Index>(1, most))->capture_default_str();
  };
  size("--layers", network.layers, kMaxLayers, "recurrent layers");
  size("--hidden", network.hidden, kMaxSize, "units in each layer");
  size("--embedding", network.embedding, kMaxSize, "size of a symbol's vector");
  command.add_flag("--tied", network.tied,
                   "readout and embedding share a matrix; the last layer is of its size");
  command.add_flag("--adaptive-softmax", network.adaptive_softmax,
                   "rare words cost less time; with --level word");
  const auto rate = [&](const char* name, double& to, const char* help) {
    command.add_option(name, to, help)->check(inside(0, true, 1))->capture_default_str();
  };
  rate("--dropout", network.dropout, "rate between layers and before the readout");
  rate("--locked-dropout", network.locked_dropout,
       "rate for what layers and readout read, one mask for all steps");
  rate("--weight-drop", network.weight_drop, "rate for recurrent weights (weight_hh)");
  rate("--zoneout", network.zoneout, "rate at which units of hidden states keep their value");
}

void add_step_options(CLI::App& command, TrainOptions& options) {
  StepOptions& step = options.step;
  command
      .add_option("--optimizer", step.optimizer,
                  "adam, sgd, asgd, rmsprop, adagrad, adadelta, nadam, radam or lion, with "
                  ":OPTION=VALUE,... as sgd:momentum=0.9")
      ->capture_default_str();
  command.add_option("--learning-rate", step.learning_rate, "the largest of the run")
      ->check(inside(0, false, kUnbounded))
      ->capture_default_str();
  command.add_option("--weight-decay", step.weight_decay, "of the optimizer")
      ->check(inside(0, true, kUnbounded))
      ->capture_default_str();
  command
      .add_option("--schedule", step.schedule,
                  "of the learning rate: cosine:floor=0.05, constant, exponential:factor=0.9 and "
                  "step:every=1,factor=0.5 by epochs, zaremba:flat=4,factor=0.5, plateau; each "
                  "with warmup=STEPS")
      ->capture_default_str();
  command.add_option("--clip", step.clip, "largest global norm of the gradients; 0: none")
      ->check(inside(0, true, kUnbounded))
      ->capture_default_str();
  command.add_flag("--sum-over-time", step.sum_over_time,
                   "the loss is the sum over the steps of a batch, as published recipes for SGD "
                   "mean it");
  command
      .add_option("--average", step.average,
                  "decay of a moving average of the weights, which is validated and saved; 0: none")
      ->check(inside(0, true, 1))
      ->capture_default_str();
  command
      .add_option("--init-range", options.init_range,
                  "all weights uniform over -R..R at first; 0: each layer's own")
      ->check(inside(0, true, kUnbounded))
      ->capture_default_str();
  command.add_option("--batch", options.batch, "streams of text that are read side by side")
      ->check(between<Index>(1, 65536))
      ->capture_default_str();
  command.add_option("--steps", options.steps, "symbols through which gradients flow back")
      ->check(between<Index>(1, 65536))
      ->capture_default_str();
}

void add_run_options(CLI::App& command, TrainOptions& options) {
  const auto count = [&](const char* name, Index& to, const std::string& help) {
    command.add_option(name, to, help)->check(between<Index>(0, kMaxCount))->capture_default_str();
  };
  const auto minutes = [&](const char* name, double& to, const char* help) {
    command.add_option(name, to, help)->check(inside(0, true, kUnbounded))->capture_default_str();
  };
  count("--epochs", options.epochs,
        fmt::format("passes over the text; {} unless another limit is given", kDefaultEpochs));
  count("--max-steps", options.max_steps, "ends the training after this many batches; 0: none");
  minutes("--minutes", options.minutes,
          "ends the training after this time; such a run does not repeat bit for bit");
  count("--eval-every", options.eval_every, "batches between validations; 0 chooses");
  minutes("--eval-minutes", options.eval_minutes, "time between validations; 0: by batches alone");
  count("--sample-length", options.sample_length,
        "symbols that the model writes into the log at each validation; 0: none");
  minutes("--save-minutes", options.save_minutes, "time between checkpoints");
  add_seed(command, options.seed, "a run with the same seed and threads repeats bit for bit");
  command
      .add_option("--threads", options.threads, "threads for matrix products; 0: as many as cores")
      ->check(between(0, 1024))
      ->capture_default_str();
  command.add_flag("--quiet", options.quiet, "shows nothing but errors and the result on --test");
}

/// The options as a file from which the run is resumed.
std::string settings_of(const CLI::App& command) {
  std::string lines = "# The settings of this run. lm train --resume reads them.\n";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "resume" || name == "overwrite" || name == "recipe" ||
        name == "quiet" || name == "model")
      continue;
    std::vector<std::string> values = option->results();
    if (values.empty() && !option->get_default_str().empty())
      values.push_back(option->get_default_str());
    for (std::string value : values) {
      if ((name == "text" || name == "valid" || name == "test") && value != "-")
        value = std::filesystem::absolute(value).string();
      lines += fmt::format("{} = {}\n", name, value);
    }
  }
  return lines;
}

}  // namespace

void add_train(CLI::App& app) {
  const auto kept = std::make_shared<TrainOptions>();
  TrainOptions& options = *kept;
  CLI::App& command = *app.add_subcommand("train", "train a model on text");
  add_model(command, options.model);
  command.add_option("--recipe",
                     "options from a file, or from a recipe by its name; those given "
                     "beside it override them");
  CLI::Option* resume =
      command.add_flag("--resume", options.resume, "go on with the run of that model");
  command.add_flag("--overwrite", options.overwrite, "replace the model in that file and its run")
      ->excludes(resume);
  add_text_options(command, options);
  add_network_options(command, options.network);
  add_step_options(command, options);
  add_run_options(command, options);
  command.callback([kept, &command] { run_train(*kept, settings_of(command)); });
}

}  // namespace lm
