#pragma once

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace unroll::testing {

inline std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Every function that the headers of autograd/ops declare outside namespace detail and that
/// returns variables: its name, and its signatures.
inline std::map<std::string, std::set<std::string>> declared_ops() {
  const std::regex detail(R"(namespace detail \{[\s\S]*?\}  // namespace detail)");
  const std::regex classes(R"(\n(?:class|struct) \w+[^;{]*\{[\s\S]*?\n\};)");
  const std::regex comment(R"(//[^\n]*)");
  const std::regex declaration(
      R"((?:^|[\s<])Variable(?:>|,\s*N>)?\s+(operator[^\s(]+|\w+)\(([^;]*?)\)\s*[;{])");
  const std::regex default_argument(R"(\s*=[^,)]*)");
  std::map<std::string, std::set<std::string>> ops;
  for (const auto& entry : std::filesystem::directory_iterator(UNROLL_SOURCE_DIR "/autograd/ops")) {
    if (entry.path().extension() != ".hpp") continue;
    std::string text = std::regex_replace(text_of(entry.path()), detail, "");
    text = std::regex_replace(std::regex_replace(text, classes, ""), comment, "");
    for (std::sregex_iterator at(text.begin(), text.end(), declaration), end; at != end; ++at) {
      std::string parameters = std::regex_replace((*at)[2].str(), default_argument, "");
      std::erase_if(parameters, [](unsigned char c) { return std::isspace(c) != 0; });
      ops[(*at)[1].str()].insert(parameters);
    }
  }
  return ops;
}

}  // namespace unroll::testing
