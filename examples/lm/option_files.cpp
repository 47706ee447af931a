#include "option_files.hpp"

#include "training.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

namespace lm {
namespace {

namespace fs = std::filesystem;
using unroll::ArgumentError;
using unroll::Error;
using unroll::FormatError;

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") + 1 - begin));
}

std::vector<std::string> recipes() {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(LM_RECIPES))
    if (entry.path().extension() == ".recipe") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// The file of a recipe that is named, or that file itself.
std::string find_recipe(const std::string& name) {
  if (fs::path(name).has_extension() || name.find('/') != std::string::npos) return name;
  const fs::path own = fs::path(LM_RECIPES) / (name + ".recipe");
  if (fs::exists(own)) return own.string();
  throw Error(
      fmt::format("--recipe: there is no recipe \"{}\"; there are {}; a file is given with "
                  "its folder or ending",
                  name, fmt::join(recipes(), ", ")));
}

struct OptionAt {
  std::string name, value;
  std::size_t words;  ///< of the command line
};

/// `--name=value`, or `--name value` where the next word is no option.
OptionAt option_at(const std::vector<std::string>& arguments, std::size_t k) {
  const std::string& word = arguments[k];
  const std::size_t equals = word.find('=');
  if (equals != std::string::npos) return {word.substr(0, equals), word.substr(equals + 1), 1};
  const bool with_value =
      word.starts_with("--") && k + 1 < arguments.size() && !arguments[k + 1].starts_with("--");
  return {word, with_value ? arguments[k + 1] : "", with_value ? 2UL : 1UL};
}

}  // namespace

std::vector<std::string> read_options(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw Error(fmt::format("cannot open \"{}\": {}", path, std::strerror(errno)));
  std::vector<std::string> arguments;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string text = trimmed(line);
    if (text.empty() || text.front() == '#') continue;
    const std::size_t equals = text.find('=');
    const std::string name = trimmed(std::string_view(text).substr(0, equals));
    if (equals == std::string::npos || name.empty() || name.find(' ') != std::string::npos)
      throw FormatError(fmt::format("\"{}\", line {}: expected `option = value`, got \"{}\"", path,
                                    number, text.substr(0, 80)));
    arguments.push_back(
        fmt::format("--{}={}", name, trimmed(std::string_view(text).substr(equals + 1))));
  }
  if (in.bad()) throw Error(fmt::format("cannot read \"{}\"", path));
  return arguments;
}

std::vector<std::string> with_recipe(const std::vector<std::string>& arguments) {
  std::vector<std::string> before, own;
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    const auto [name, value, words] = option_at(arguments, k);
    if (name == "--recipe" && !value.empty()) {
      const std::vector<std::string> options = read_options(find_recipe(value));
      before.insert(before.end(), options.begin(), options.end());
    } else {
      own.insert(own.end(), arguments.begin() + static_cast<std::ptrdiff_t>(k),
                 arguments.begin() + static_cast<std::ptrdiff_t>(k + words));
    }
    k += words - 1;
  }
  // Behind the command, before its other arguments.
  own.insert(own.begin() + std::min<std::ptrdiff_t>(1, std::ssize(own)), before.begin(),
             before.end());
  return own;
}

std::vector<std::string> with_settings_of_run(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] != "train" ||
      std::find(arguments.begin(), arguments.end(), "--resume") == arguments.end())
    return arguments;
  static const std::set<std::string> kMayChange = {
      "--resume",  "--model", "--epochs",       "--max-steps", "--minutes", "--eval-minutes",
      "--threads", "--quiet", "--save-minutes", "--help",      "-h"};
  std::string model = TrainOptions().model;
  for (std::size_t k = 1; k < arguments.size(); ++k) {
    const auto [name, value, words] = option_at(arguments, k);
    if (!kMayChange.contains(name))
      throw ArgumentError(fmt::format(
          "--resume goes on with the text and the settings of the run, so {} cannot be given; it "
          "may go with {}",
          name, fmt::join(kMayChange, ", ")));
    if (name == "--model" && !value.empty()) model = value;
    if (name != "--resume" && name != "--quiet") k += words - 1;
  }
  const std::string settings = settings_file(model);
  if (!fs::exists(settings))
    throw Error(fmt::format("--resume: there is no run of \"{}\" to go on with: \"{}\" is missing",
                            model, settings));
  std::vector<std::string> all = arguments;
  const std::vector<std::string> options = read_options(settings);
  all.insert(all.begin() + 1, options.begin(), options.end());
  return all;
}

std::string settings_file(const std::string& model) { return run_folder(model) + "/settings"; }

}  // namespace lm
