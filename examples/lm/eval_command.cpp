#include "arguments.hpp"
#include "commands.hpp"
#include "eval_report.hpp"
#include "surprise_file.hpp"

#include <autograd/tensor/error.hpp>
#include <nn/data/text_file.hpp>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>

namespace lm {
namespace {

using unroll::nn::Vocabulary;

Evaluation mean(const std::vector<double>& nats) {
  return {std::accumulate(nats.begin(), nats.end(), 0.0) / static_cast<double>(nats.size()),
          static_cast<Index>(nats.size())};
}

unroll::nn::Unknown policy_of(const EvalOptions& options) {
  using unroll::nn::Unknown;
  return options.unknown == "map"    ? Unknown::map
         : options.unknown == "skip" ? Unknown::skip
                                     : Unknown::error;
}

/// Symbols that the model does not know as such.
Index count_unknown(const Vocabulary& vocabulary, std::string_view text) {
  Index unknown = 0;
  for (std::size_t at = 0; at < text.size();) {
    const unroll::nn::Token token = unroll::nn::next_token(vocabulary.level(), text.substr(at));
    if (token.bytes == 0) break;
    at += token.bytes;
    if (vocabulary.find(token.text) < 0) ++unknown;
  }
  return unknown;
}

TextReport evaluate_file(const EvalOptions& options, const Model& model, const std::string& file,
                         std::optional<SurpriseFile>& per_token) {
  TextReport report;
  report.file = file;
  const unroll::nn::TextFile text(file);
  const Vocabulary& vocabulary = model.vocabulary();
  const std::vector<std::int32_t> numbers =
      vocabulary.encode(text.bytes(), fmt::format("text: \"{}\"", file), policy_of(options));
  if (numbers.size() < 2)
    throw unroll::FormatError(
        fmt::format("text: \"{}\": expected at least 2 symbols that the model knows, got {}: "
                    "nothing to predict",
                    file, numbers.size()));
  report.unknown = count_unknown(vocabulary, text.bytes());
  std::vector<Index> counts(static_cast<std::size_t>(vocabulary.size()));
  for (const std::int32_t number : numbers) ++counts[static_cast<std::size_t>(number)];
  report.unigram = unroll::nn::unigram_entropy(counts);

  const bool adapts = options.adapt.dynamic.rate > 0 || options.adapt.cache.size > 0;
  if (!adapts && !per_token && report.unknown == 0) {
    unroll::nn::TokenStreams streams = side_by_side({text.bytes()}, vocabulary);
    report.evaluation = evaluate(model, streams);
    return report;
  }
  // All in one stream, so the figures compare.
  std::vector<double> nats = surprises(model, numbers);
  report.evaluation = mean(nats);
  if (adapts) {
    nats = surprises(model, numbers, options.adapt);
    report.adapted = mean(nats);
  }
  if (per_token) per_token->add(file, vocabulary, numbers, nats);
  return report;
}

void add_adaptation(CLI::App& command, AdaptOptions& adapt) {
  command
      .add_option("--dynamic", adapt.dynamic.rate,
                  "dynamic evaluation: learning rate of SGD on the text; 0: none")
      ->check(inside(0, true, kUnbounded))
      ->capture_default_str();
  command
      .add_option("--dynamic-decay", adapt.dynamic.decay,
                  "share of the way back to the trained weights after each step")
      ->check(between(0.0, 1.0))
      ->capture_default_str();
  command.add_option("--dynamic-steps", adapt.dynamic.steps, "symbols between two steps")
      ->check(between<Index>(1, 65536))
      ->capture_default_str();
  command
      .add_option("--cache", adapt.cache.size,
                  "neural cache: hidden states that are remembered; 0: none")
      ->check(between<Index>(0, 1'000'000))
      ->capture_default_str();
  command
      .add_option("--cache-theta", adapt.cache.theta,
                  "how much the likeness of hidden states counts")
      ->check(inside(0, true, kUnbounded))
      ->capture_default_str();
  command.add_option("--cache-weight", adapt.cache.weight, "share of the cache in the prediction")
      ->check(inside(0, true, 1))
      ->capture_default_str();
}

}  // namespace

void run_eval(const EvalOptions& options) {
  const Model model = Model::load(options.model);
  std::optional<SurpriseFile> per_token;
  if (!options.per_token.empty()) per_token.emplace(options.per_token);
  std::vector<TextReport> reports;
  for (const std::string& file : options.text)
    reports.push_back(evaluate_file(options, model, file, per_token));
  if (per_token) per_token->commit();

  if (options.json) {
    fmt::print("{}\n", to_json(reports));
    return;
  }
  if (reports.size() > 1)
    for (const TextReport& report : reports) {
      fmt::print("{}:\n", report.file);
      print(report, stdout);
    }
  if (reports.size() > 1) fmt::print("all {} files:\n", reports.size());
  print(total(reports), stdout);
}

void add_eval(CLI::App& app) {
  const auto kept = std::make_shared<EvalOptions>();
  EvalOptions& options = *kept;
  CLI::App& command = *app.add_subcommand("eval", "measure how well a model predicts text");
  add_model(command, options.model);
  command.add_option("text,--text", options.text, "text files; each is evaluated anew")
      ->required()
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      .add_option("--unknown", options.unknown,
                  "error, skip, or map to <unk>: symbols that the model does not know")
      ->check(one_of({"error", "skip", "map"}))
      ->capture_default_str();
  command.add_option("--per-token", options.per_token,
                     "file for the surprise of each symbol in bits: TSV, or JSON lines if it "
                     "ends in .jsonl");
  command.add_flag("--json", options.json, "prints the results as JSON");
  add_adaptation(command, options.adapt);
  command.callback([kept] { run_eval(*kept); });
}

}  // namespace lm
