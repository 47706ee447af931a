#include "arguments.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace lm {

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

CLI::Validator one_of(std::vector<std::string> words) {
  return CLI::Validator(
      [words = std::move(words)](const std::string& text) {
        if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
        return fmt::format("expected {} or {}, got {}",
                           fmt::join(words.begin(), words.end() - 1, ", "), words.back(), text);
      },
      "");
}

void add_model(CLI::App& command, std::string& model) {
  command.add_option("--model", model, "model file (safetensors)")->capture_default_str();
}

void add_seed(CLI::App& command, std::uint64_t& seed, const char* help) {
  command.add_option("--seed", seed, help)
      ->check(between<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max()))
      ->capture_default_str();
}

}  // namespace lm
