// A character language model: trains on text, writes text, measures how well it predicts text.
#include "evaluate.hpp"
#include "sample.hpp"
#include "train.hpp"

#include "common/example.hpp"

#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

namespace {

using char_lm::Index;

/// Refuses what is no number or lies outside, saying what is expected.
template <class T>
CLI::Validator between(T low, T high) {
  return CLI::Validator(
      [low, high](const std::string& text) {
        T value{};
        const bool negative = std::is_unsigned_v<T> && text.starts_with('-');  // would wrap around
        const bool number = !negative && CLI::detail::lexical_cast(text, value);
        return number && value >= low && value <= high
                   ? std::string()
                   : fmt::format("expected a {} from {} to {}, got {}",
                                 std::is_integral_v<T> ? "whole number" : "number", low, high,
                                 text);
      },
      "");
}

/// The same with the ends left out where `low` or `high` itself makes no sense.
CLI::Validator inside(double low, bool with_low, double high) {
  return CLI::Validator(
      [=](const std::string& text) {
        double value = 0;
        const bool number = CLI::detail::lexical_cast(text, value);
        return number && std::isfinite(value) && (with_low ? value >= low : value > low) &&
                       value < high
                   ? std::string()
                   : fmt::format("expected a number {} {}{}, got {}", with_low ? "from" : "above",
                                 low, std::isfinite(high) ? fmt::format(" to below {}", high) : "",
                                 text);
      },
      "");
}

constexpr double kAny = INFINITY;
constexpr Index kMaxCount = 1'000'000'000;

void add_model(CLI::App& command, std::string& model) {
  command.add_option("--model", model, "model file (safetensors)")->capture_default_str();
}

void add_text(CLI::App& command, std::vector<std::string>& text) {
  command.add_option("--text", text, "UTF-8 text files; several are joined")
      ->required()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_seed(CLI::App& command, std::uint64_t& seed, const char* help) {
  command.add_option("--seed", seed, help)
      ->check(between<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max()))
      ->capture_default_str();
}

/// `excluded`: the option with which the network is known already.
void add_network(CLI::App& command, char_lm::NetworkOptions& network, CLI::Option& excluded) {
  const auto before = command.get_options();
  command.add_option("--cell", network.cell, "lstm, gru or elman")
      ->check(CLI::Validator(
          [](const std::string& cell) {
            return cell == "lstm" || cell == "gru" || cell == "elman"
                       ? std::string()
                       : fmt::format("expected lstm, gru or elman, got {}", cell);
          },
          ""))
      ->capture_default_str();
  command.add_option("--layers", network.layers, "recurrent layers")
      ->check(between<Index>(1, char_lm::kMaxLayers))
      ->capture_default_str();
  command.add_option("--hidden", network.hidden, "units in each layer")
      ->check(between<Index>(1, char_lm::kMaxSize))
      ->capture_default_str();
  command.add_option("--embedding", network.embedding, "size of a character's vector")
      ->check(between<Index>(1, char_lm::kMaxSize))
      ->capture_default_str();
  command.add_option("--dropout", network.dropout, "rate between layers and before the readout")
      ->check(inside(0, true, 1))
      ->capture_default_str();
  for (CLI::Option* option : command.get_options())
    if (std::find(before.begin(), before.end(), option) == before.end())
      option->excludes(&excluded);
}

void add_train(CLI::App& app, char_lm::TrainOptions& options) {
  CLI::App& command = *app.add_subcommand("train", "train a model on text");
  add_text(command, options.text);
  add_model(command, options.model);
  CLI::Option* resume = command.add_flag(
      "--resume", options.resume,
      "train the model in that file further; Adam and its learning rate start anew");
  command.add_flag("--overwrite", options.overwrite, "replace the model in that file")
      ->excludes(resume);
  add_network(command, options.network, *resume);
  command.add_option("--batch", options.batch, "streams of text that are read side by side")
      ->check(between<Index>(1, 65536))
      ->capture_default_str();
  command.add_option("--steps", options.steps, "characters through which gradients flow back")
      ->check(between<Index>(1, 65536))
      ->capture_default_str();
  command
      .add_option("--epochs", options.epochs,
                  fmt::format("passes over the text; {} unless another limit is given",
                              char_lm::kDefaultEpochs))
      ->check(between<Index>(1, kMaxCount));
  command.add_option("--max-steps", options.max_steps, "ends the training after this many batches")
      ->check(between<Index>(1, kMaxCount));
  command
      .add_option("--minutes", options.minutes,
                  "ends the training after this time; such a run does not repeat bit for bit")
      ->check(inside(0, false, kAny));
  command
      .add_option("--learning-rate", options.learning_rate,
                  "of Adam at first; falls along a cosine")
      ->check(inside(0, false, kAny))
      ->capture_default_str();
  command.add_option("--clip", options.clip, "largest global norm of the gradients")
      ->check(inside(0, false, kAny))
      ->capture_default_str();
  command
      .add_option("--validation", options.validation,
                  "fraction of the text, at its end, to validate on")
      ->check(inside(0, true, 0.9))
      ->capture_default_str();
  command.add_option("--eval-every", options.eval_every, "batches between validations; 0 chooses")
      ->check(between<Index>(0, kMaxCount))
      ->capture_default_str();
  add_seed(command, options.seed, "a run with the same seed and threads repeats bit for bit");
  command
      .add_option("--threads", options.threads, "threads for matrix products; 0: as many as cores")
      ->check(between(0, 1024))
      ->capture_default_str();
  command.callback([&options] { char_lm::run_train(options); });
}

void add_sample(CLI::App& app, char_lm::SampleOptions& options) {
  CLI::App& command = *app.add_subcommand("sample", "let a model write");
  add_model(command, options.model);
  command.add_option("--prompt", options.prompt, "text to go on from");
  command.add_option("--length", options.length, "characters to write")
      ->check(between<Index>(1, kMaxCount))
      ->capture_default_str();
  command
      .add_option("--temperature", options.temperature,
                  "below 1 bolder towards the likely, above 1 more varied")
      ->check(inside(0, false, kAny))
      ->capture_default_str();
  add_seed(command, options.seed, "the same seed gives the same text");
  command.callback([&options] { char_lm::run_sample(options); });
}

void add_eval(CLI::App& app, char_lm::EvalOptions& options) {
  CLI::App& command = *app.add_subcommand("eval", "measure how well a model predicts text");
  add_model(command, options.model);
  add_text(command, options.text);
  command.callback([&options] { char_lm::run_eval(options); });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    CLI::App app("A character language model. Characters are Unicode code points; text is UTF-8.");
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.require_subcommand(0, 1);
    char_lm::TrainOptions train;
    char_lm::SampleOptions sample;
    char_lm::EvalOptions eval;
    add_train(app, train);
    add_sample(app, sample);
    add_eval(app, eval);
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app.exit(error) == 0 ? 0 : 1;
    }
    if (app.get_subcommands().empty())
      throw unroll::ArgumentError("expected a command: train, sample or eval; --help tells more");
    example::check_output();
    return 0;
  } catch (const std::bad_alloc&) {
    fmt::print(
        stderr,
        "char_lm: not enough memory; try a smaller --hidden, --layers, --batch or --steps\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "char_lm: {}\n", error.what());
  }
  return 1;
}
