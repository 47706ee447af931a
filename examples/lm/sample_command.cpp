#include "arguments.hpp"
#include "commands.hpp"
#include "sample.hpp"

#include <memory>

namespace lm {
namespace {

void add_filters(CLI::App& command, FilterOptions& filter) {
  command
      .add_option("--repetition-penalty", filter.repetition_penalty,
                  "above 1 makes symbols that occurred before less likely")
      ->check(inside(0, false, kUnbounded))
      ->capture_default_str();
  command
      .add_option("--temperature", filter.temperature,
                  "below 1 bolder towards the likely, above 1 more varied; 0: the most likely")
      ->check(inside(0, true, kUnbounded))
      ->capture_default_str();
  command.add_option("--top-k", filter.top_k, "draws from the k most likely symbols; 0: from all")
      ->check(between<Index>(0, kMaxCount))
      ->capture_default_str();
  command
      .add_option("--top-p", filter.top_p,
                  "draws from the fewest symbols whose probabilities sum to this")
      ->check(between(1e-9, 1.0))
      ->capture_default_str();
  command
      .add_option("--min-p", filter.min_p,
                  "draws from symbols at least this fraction as likely as the most likely one")
      ->check(between(0.0, 1.0))
      ->capture_default_str();
}

}  // namespace

void add_sample(CLI::App& app) {
  const auto kept = std::make_shared<SampleOptions>();
  SampleOptions& options = *kept;
  CLI::App& command = *app.add_subcommand("sample", "let a model write");
  add_model(command, options.model);
  CLI::Option* prompt = command.add_option("--prompt", options.prompt, "text to go on from");
  command
      .add_option("--prompt-file", options.prompt_file, "UTF-8 file with the text to go on from")
      ->excludes(prompt);
  command.add_option("--length", options.length, "symbols to write")
      ->check(between<Index>(1, kMaxCount))
      ->capture_default_str();
  add_filters(command, options.filter);
  command
      .add_option("--repetition-window", options.repetition_window,
                  "symbols that the repetition penalty looks back; 0: all")
      ->check(between<Index>(0, kMaxCount))
      ->capture_default_str();
  CLI::Option* samples = command.add_option("--samples", options.samples, "texts to write");
  samples->check(between<Index>(1, kMaxCount))->capture_default_str();
  command
      .add_flag("--interactive", options.interactive,
                "reads lines from the standard input and continues each; all are remembered")
      ->excludes(samples);
  add_seed(command, options.seed, "the same seed gives the same text");
  command.callback([kept] { run_sample(*kept); });
}

}  // namespace lm
