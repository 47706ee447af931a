#include "surprise_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iterator>
#include <numbers>

namespace lm {
namespace {

std::string escape(std::string_view text) {
  std::string result;
  for (const char c : text) switch (c) {
      case '\t':
        result += "\\t";
        break;
      case '\n':
        result += "\\n";
        break;
      case '\r':
        result += "\\r";
        break;
      case '\\':
        result += "\\\\";
        break;
      default:
        result += c;
    }
  return result;
}

}  // namespace

SurpriseFile::SurpriseFile(const std::string& path) : json_(path.ends_with(".jsonl")), file_(path) {
  constexpr std::string_view kHeader = "file\tposition\tsymbol\tbits\n";
  if (!json_) file_.write(kHeader.data(), kHeader.size());
}

void SurpriseFile::add(const std::string& file, const unroll::nn::Vocabulary& vocabulary,
                       std::span<const std::int32_t> symbols, std::span<const double> nats) {
  std::string lines;
  const std::string name = escape(file);
  for (std::size_t i = 0; i < nats.size(); ++i) {
    const std::string& symbol = vocabulary.symbol(symbols[i + 1]);
    const double bits = nats[i] / std::numbers::ln2;
    if (json_)
      lines += nlohmann::ordered_json(
                   {{"file", file}, {"position", i + 1}, {"symbol", symbol}, {"bits", bits}})
                   .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
               '\n';
    else
      fmt::format_to(std::back_inserter(lines), "{}\t{}\t{}\t{:.6f}\n", name, i + 1, escape(symbol),
                     bits);
  }
  file_.write(lines.data(), lines.size());
}

}  // namespace lm
