#include "report.hpp"

#include "arguments.hpp"
#include "commands.hpp"
#include "html.hpp"
#include "model.hpp"
#include "option_files.hpp"
#include "output_file.hpp"
#include "progress.hpp"
#include "run_history.hpp"
#include "training.hpp"
#include "visible_text.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>
#include <nn/training/checkpoint_file.hpp>
#include <nn/training/checkpoint_folder.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <numbers>
#include <utility>
#include <vector>

namespace lm {
namespace {

namespace nn = unroll::nn;

constexpr const char* kStyle = R"css(
svg { display: block; max-width: 100%; height: auto; margin: .5rem 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 46rem; margin: .25rem 0 1rem;
  padding: .6rem .8rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px;
  font: 14px/1.5 ui-monospace, monospace; }
h3 { font-size: 1rem; margin: 1rem 0 0; }
)css";

using Rows = std::vector<std::pair<std::string, std::string>>;

std::string text(const std::string& raw) { return escape_html(visible_text(raw)); }

std::string table(const Rows& rows) {
  std::string html = "<table>\n";
  for (const auto& [name, value] : rows)
    html += "<tr><th scope=\"row\">" + text(name) + "</th><td>" + text(value) + "</td></tr>\n";
  return html + "</table>\n";
}

/// How long the run has trained, by its last checkpoint.
void add_speed(Rows& rows, const std::string& folder) {
  const nn::LatestCheckpoint latest = nn::CheckpointFolder(folder).latest();
  if (!latest.path) return;
  nn::TensorFile file;
  try {
    file = nn::read_checkpoint(*latest.path);
  } catch (const unroll::FormatError&) {
    return;  // the run goes on and has removed it in the meantime
  }
  const auto number = [&](const char* name) { return file.at(name).to_vector<double>().at(0); };
  const double seconds = number("seconds"), symbols = number("tokens");
  rows.emplace_back("trained for", fmt::format("{} up to step {:.0f}, the last checkpoint",
                                               duration(seconds), number("step")));
  rows.emplace_back("symbols trained on", fmt::format("{:.0f}", symbols));
  if (seconds > 0)
    rows.emplace_back(
        "speed", fmt::format("{:.0f} symbols per second, validation included", symbols / seconds));
}

std::string summary(const std::string& model, const RunHistory& history) {
  Rows rows{{"model", model}, {"steps", std::to_string(history.last_step)}};
  if (history.best)
    rows.emplace_back("best validation",
                      fmt::format("{:.4f} nats per symbol ({:.4f} bits, perplexity {:.3f}) at step "
                                  "{}",
                                  history.best->nats, history.best->nats / std::numbers::ln2,
                                  std::exp(history.best->nats), history.best->step));
  add_speed(rows, run_folder(model));
  if (std::filesystem::exists(model)) {
    const Model saved = Model::load(model);
    rows.emplace_back("parameters", std::to_string(saved.parameter_count()));
    rows.emplace_back("vocabulary", fmt::format("{} symbols, level {}", saved.vocabulary().size(),
                                                to_string(saved.vocabulary().level())));
  }
  return table(rows);
}

std::string curves(const RunHistory& history) {
  std::string html = "<h2>Loss</h2>\n";
  if (history.loss.empty()) return html + "<p>The log has no steps yet.</p>\n";
  html += nn::curves_svg(history.losses(), {.y_label = "nats per symbol"});
  if (history.loss.values_per_point() > 1)
    html += fmt::format(
        "<p class=\"quiet\">Each point of a line is the mean over {} steps; dots are "
        "validations.</p>\n",
        history.loss.values_per_point());
  html += "<h2>Learning rate</h2>\n" + nn::curves_svg({history.learning_rate.curve("")},
                                                      {.y_label = "learning rate", .height = 260});
  html += "<h2>Gradient norm</h2>\n" +
          nn::curves_svg({history.gradient_norm.curve("")},
                         {.y_label = "norm, before clipping", .logarithmic = true, .height = 260});
  return html;
}

/// A few, evenly over the run, the first and the last among them.
std::string samples(const RunHistory& history) {
  constexpr std::size_t kMost = 8;
  const std::size_t count = history.samples.size();
  if (count == 0) return "";
  std::string html =
      "<h2>Samples</h2>\n<p class=\"quiet\">Written at validations, by the model as it was "
      "then.</p>\n";
  const std::size_t shown = std::min(kMost, count);
  for (std::size_t k = 0; k < shown; ++k) {
    const auto& [step, sample] = history.samples[shown == 1 ? 0 : k * (count - 1) / (shown - 1)];
    html += fmt::format("<h3>step {}</h3>\n<pre>\n{}</pre>\n", step, text(sample));
  }
  return html;
}

std::string settings(const std::string& model) {
  Rows rows;
  for (const std::string& argument : read_options(settings_file(model))) {
    const std::size_t equals = argument.find('=');
    constexpr std::size_t kDashes = 2;
    rows.emplace_back(argument.substr(kDashes, equals - kDashes), argument.substr(equals + 1));
  }
  return "<h2>Settings</h2>\n" + table(rows);
}

}  // namespace

void run_report(const ReportOptions& options) {
  const std::string& model = options.model;
  const std::string out = options.out.empty() ? model + ".report.html" : options.out;
  if (!std::filesystem::exists(settings_file(model)))
    throw unroll::Error(fmt::format("there is no run of \"{}\" to report on: \"{}\" is missing",
                                    model, settings_file(model)));
  check_output_file(out, options.overwrite);
  const RunHistory history = read_history(run_folder(model) + "/log.jsonl");
  HtmlPage page{visible_text("Training of " + model), kStyle, "<h1>Training report</h1>\n"};
  page.body += summary(model, history) + curves(history) + samples(history) + settings(model);
  const std::string html = to_html(page);
  write_output_file(out, html);
  fmt::print("{} steps, {} samples, {} bytes: {}\n", history.last_step, history.samples.size(),
             html.size(), out);
}

void add_report(CLI::App& app) {
  const auto kept = std::make_shared<ReportOptions>();
  ReportOptions& options = *kept;
  CLI::App& command = *app.add_subcommand("report", "write a page about the training of a model");
  command.add_option("model,--model", options.model, "model file, beside which its run lies")
      ->capture_default_str();
  command.add_option("--out", options.out, "HTML file to write; MODEL.report.html unless given");
  command.add_flag("--overwrite", options.overwrite, "replace the file to write if it exists");
  command.callback([kept] { run_report(*kept); });
}

}  // namespace lm
