#include "inspect_page.hpp"

#include "html.hpp"
#include "visible_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstddef>
#include <map>
#include <span>

namespace lm {
namespace {

using Json = nlohmann::ordered_json;

/// Few digits keep the page small.
Json rounded(double value, double digits) {
  if (!std::isfinite(value)) return nullptr;
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale + 0.0;  // no -0
}

/// Line feeds and tabs get a mark beside what they do.
std::string with_marks(const std::string& symbol) {
  std::string text;
  for (const char c : visible_text(symbol)) {
    if (c == '\n') text += "\u21B5";
    if (c == '\t') text += "\u2192";
    text += c;
  }
  return text;
}

/// Each symbol once, as the page shows it.
class SymbolTable {
 public:
  std::size_t number(const std::string& symbol) {
    const auto [found, is_new] = numbers_.try_emplace(symbol, numbers_.size());
    if (is_new) {
      const std::string shown = with_marks(symbol);
      if (shown != symbol) marked_.push_back(found->second);
      shown_.push_back(shown);
    }
    return found->second;
  }
  const Json& shown() const { return shown_; }
  /// Numbers of the symbols that do not look as they are.
  const Json& marked() const { return marked_; }

 private:
  std::map<std::string, std::size_t> numbers_;
  Json shown_ = Json::array(), marked_ = Json::array();
};

std::vector<std::string> written(const Inspection& inspection) {
  std::vector<std::string> symbols;
  for (const std::int32_t symbol : inspection.symbols)
    symbols.push_back(
        inspection.vocabulary.written_after(symbols.empty() ? "" : symbols.back(), symbol));
  return symbols;
}

void add_text(Json& json, const Inspection& inspection, const std::vector<std::string>& symbols) {
  constexpr double kPercent = 100;
  SymbolTable table;
  for (std::size_t k = 0; k < symbols.size(); ++k) {
    json["symbols"].push_back(table.number(symbols[k]));
    json["bits"].push_back(rounded(inspection.activity.bits[k], 2));
    Json guesses = Json::array();
    for (const Guess& guess : inspection.activity.guesses[k]) {
      guesses.push_back(
          table.number(inspection.vocabulary.written_after(symbols[k - 1], guess.symbol)));
      guesses.push_back(std::lround(kPercent * guess.probability));
    }
    json["guesses"].push_back(std::move(guesses));
  }
  json["table"] = table.shown();
  json["marked"] = table.marked();
  json["uniform"] = rounded(std::log2(static_cast<double>(inspection.vocabulary.size())), 2);
}

void add_units(Json& json, const Inspection& inspection, const std::vector<std::string>& symbols) {
  std::vector<TextFeature> features = text_features(symbols);
  features.push_back({"surprise", inspection.activity.bits});
  for (const TextFeature& feature : features)
    json["features"].push_back({{"name", feature.name}, {"r", Json::array()}});
  std::vector<std::int8_t> steps;
  for (const Index unit : inspection.units) {
    const std::span<const float> values =
        std::span(inspection.activity.values)
            .subspan(static_cast<std::size_t>(unit) * symbols.size(), symbols.size());
    const Quantized quantized = quantize(values);
    steps.insert(steps.end(), quantized.steps.begin(), quantized.steps.end());
    json["units"].push_back(unit);
    json["steps"].push_back(static_cast<float>(quantized.step));
    for (std::size_t k = 0; k < features.size(); ++k)
      json["features"][k]["r"].push_back(rounded(correlation(values, features[k].values), 2));
  }
  json["values"] = base64(steps);
}

/// The sentence below the headline.
std::string subject(const Inspection& inspection) {
  const std::size_t count = inspection.symbols.size();
  double bits = 0;
  for (std::size_t k = 1; k < count; ++k) bits += inspection.activity.bits[k];
  return fmt::format("Model \"{}\": {} ({} units{}). Text \"{}\": {}{} symbols{}.",
                     inspection.model, inspection.activity.source, inspection.activity.units,
                     std::ssize(inspection.units) == inspection.activity.units
                         ? ""
                         : fmt::format(", {} shown", inspection.units.size()),
                     inspection.text, inspection.cut ? "the first " : "", count,
                     count < 2 ? ""
                               : fmt::format(", {:.3f} bits each on average",
                                             bits / static_cast<double>(count - 1)));
}

}  // namespace

std::string inspect_page(const Inspection& inspection) {
  const std::vector<std::string> symbols = written(inspection);
  Json json;
  add_text(json, inspection, symbols);
  add_units(json, inspection, symbols);
  const std::string data = json.dump();
  HtmlPage page{visible_text("Units of " + inspection.model), inspect_page_parts::kStyle, ""};
  page.body = "<h1>What units respond to</h1>\n<p class=\"quiet\">" +
              escape_html(visible_text(subject(inspection))) + "</p>\n";
  page.body += inspect_page_parts::kBody;
  page.body += "<script type=\"application/json\" id=\"data\">" + json_for_script(data) +
               "</script>\n<script>" + inspect_page_parts::kScript + "</script>\n";
  return to_html(page);
}

}  // namespace lm
