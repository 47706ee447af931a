#include "eval_report.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace lm {
namespace {

Evaluation sum(const Evaluation& a, const Evaluation& b) {
  const Index symbols = a.symbols + b.symbols;
  return {(a.nats * static_cast<double>(a.symbols) + b.nats * static_cast<double>(b.symbols)) /
              static_cast<double>(symbols),
          symbols};
}

nlohmann::ordered_json to_json(const Evaluation& evaluation) {
  return {{"nats", evaluation.nats},
          {"bits", evaluation.bits()},
          {"perplexity", evaluation.perplexity()}};
}

nlohmann::ordered_json to_json(const TextReport& report) {
  nlohmann::ordered_json json;
  if (!report.file.empty()) json["file"] = report.file;
  json["symbols"] = report.evaluation.symbols;
  json["unknown"] = report.unknown;
  json["unigram_bits"] = report.unigram;
  json.update(to_json(report.evaluation));
  if (report.adapted) {
    json["adapted"] = to_json(*report.adapted);
    json["gain_bits"] = report.evaluation.bits() - report.adapted->bits();
  }
  return json;
}

}  // namespace

TextReport total(const std::vector<TextReport>& reports) {
  TextReport all;
  double unigram = 0;
  for (const TextReport& report : reports) {
    all.unknown += report.unknown;
    unigram += report.unigram * static_cast<double>(report.evaluation.symbols);
    all.evaluation = sum(all.evaluation, report.evaluation);
    if (report.adapted) all.adapted = sum(all.adapted.value_or(Evaluation{}), *report.adapted);
  }
  all.unigram = unigram / static_cast<double>(all.evaluation.symbols);
  return all;
}

void print(const TextReport& report, std::FILE* out) {
  const auto line = [&](const Evaluation& e) {
    fmt::print(out, "{:.4f} bits per symbol over {} symbols ({:.4f} nats, perplexity {:.3f})",
               e.bits(), e.symbols, e.nats, e.perplexity());
  };
  line(report.evaluation);
  fmt::print(out, "\n");
  if (report.adapted) {
    line(*report.adapted);
    fmt::print(out, " adapted to the text: {:.4f} bits gained\n",
               report.evaluation.bits() - report.adapted->bits());
  }
  fmt::print(out, "{:.4f} bits per symbol by the text's own symbol frequencies alone\n",
             report.unigram);
  if (report.unknown > 0)
    fmt::print(out, "{} symbols that the model does not know are left out or count as <unk>\n",
               report.unknown);
}

std::string to_json(const std::vector<TextReport>& reports) {
  nlohmann::ordered_json json;
  for (const TextReport& report : reports) json["files"].push_back(to_json(report));
  json["total"] = to_json(total(reports));
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace lm
