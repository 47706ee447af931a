#include "arguments.hpp"
#include "commands.hpp"
#include "inspect.hpp"
#include "inspect_page.hpp"
#include "output_file.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>
#include <nn/data/text_file.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <string_view>

namespace lm {
namespace {

/// The beginning of a text.
std::string_view first_symbols(unroll::nn::Level level, std::string_view text, Index count) {
  std::size_t end = 0;
  for (Index k = 0; k < count; ++k) {
    const std::size_t bytes = unroll::nn::next_token(level, text.substr(end)).bytes;
    if (bytes == 0) break;
    end += bytes;
  }
  return text.substr(0, end);
}

std::vector<Index> chosen_units(const std::vector<Index>& asked, Index count) {
  std::vector<Index> units = asked;
  if (units.empty()) {
    units.resize(static_cast<std::size_t>(count));
    std::iota(units.begin(), units.end(), Index{0});
  }
  for (const Index unit : units)
    if (unit >= count)
      throw unroll::ArgumentError(
          fmt::format("--units: expected units from 0 to {}, got {}", count - 1, unit));
  std::sort(units.begin(), units.end());
  units.erase(std::unique(units.begin(), units.end()), units.end());
  return units;
}

}  // namespace

void run_inspect(const InspectOptions& options) {
  const std::string out = options.out.empty() ? options.model + ".inspect.html" : options.out;
  const Model model = Model::load(options.model);
  check_output_file(out, options.overwrite);
  const unroll::nn::TextFile text(options.text);
  const unroll::nn::Vocabulary& vocabulary = model.vocabulary();
  const std::string_view first =
      first_symbols(vocabulary.level(), text.bytes(), options.max_symbols);
  const std::string source = fmt::format("text: \"{}\"", options.text);
  Inspection inspection{
      .model = options.model,
      .text = options.text,
      .cut = first.size() < text.bytes().size(),
      .vocabulary = vocabulary,
      .symbols = vocabulary.encode(
          first, source,
          vocabulary.unknown() ? unroll::nn::Unknown::map : unroll::nn::Unknown::error),
      .activity = {},
      .units = {}};
  if (inspection.symbols.empty())
    throw unroll::FormatError(source + ": there are no symbols in it");
  inspection.activity = record_activity(model, inspection.symbols, options.source);
  inspection.units = chosen_units(options.units, inspection.activity.units);
  const std::string page = inspect_page(inspection);
  write_output_file(out, page);
  fmt::print("{} symbols, {} units, {} bytes: {}\n", inspection.symbols.size(),
             inspection.units.size(), page.size(), out);
}

void add_inspect(CLI::App& app) {
  const auto kept = std::make_shared<InspectOptions>();
  InspectOptions& options = *kept;
  CLI::App& command = *app.add_subcommand(
      "inspect", "write a page that shows what a model's units respond to in a text");
  add_model(command, options.model);
  command.add_option("text,--text", options.text, "text file that the model reads")->required();
  command.add_option("--out", options.out, "HTML file to write; MODEL.inspect.html unless given");
  command.add_flag("--overwrite", options.overwrite, "replace the file to write if it exists");
  command.add_option("--layer", options.source.layer, "layer whose units are shown; 0: the last")
      ->check(between<Index>(0, kMaxLayers))
      ->capture_default_str();
  command
      .add_option("--state", options.source.state,
                  "state tensor of that layer, such as 2 for the cell state of an LSTM; 0: the "
                  "output of the last layer, and the first state tensor of any other")
      ->check(between<Index>(0, kMaxLayers))
      ->capture_default_str();
  command.add_option("--units", options.units, "units on the page, such as 3,17; all unless given")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->check(between<Index>(0, kMaxCount));
  command.add_option("--max-symbols", options.max_symbols, "symbols of the text that are read")
      ->check(between<Index>(1, 1'000'000))
      ->capture_default_str();
  command.callback([kept] { run_inspect(*kept); });
}

}  // namespace lm
