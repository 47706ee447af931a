#include "specification.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace lm {
namespace {

using unroll::ArgumentError;
using unroll::Index;

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

template <class T>
std::optional<T> number(const std::string& digits) {
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return value;
}

}  // namespace

Specification::Specification(std::string flag, const std::string& text) : flag_(std::move(flag)) {
  const std::size_t colon = text.find(':');
  name_ = text.substr(0, colon);
  if (colon == std::string::npos) return;
  for (const std::string& part : split(std::string_view(text).substr(colon + 1), ',')) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0)
      throw ArgumentError(
          fmt::format("{}: expected {}:OPTION=VALUE,..., got \"{}\"", flag_, name_, text));
    if (!given_.try_emplace(part.substr(0, equals), part.substr(equals + 1)).second)
      throw ArgumentError(fmt::format("{}: an option is given twice in \"{}\"", flag_, text));
  }
}

const std::string* Specification::find(const char* option) {
  known_.emplace_back(option);
  const auto found = given_.find(option);
  return found == given_.end() ? nullptr : &found->second;
}

double Specification::get(const char* option, double otherwise) {
  const std::string* text = find(option);
  if (!text) return otherwise;
  const auto value = number<double>(*text);
  if (!value || !std::isfinite(*value)) refuse(option, "a number");
  return *value;
}

Index Specification::get(const char* option, Index otherwise) {
  const std::string* text = find(option);
  if (!text) return otherwise;
  const auto value = number<Index>(*text);
  if (!value) refuse(option, "a whole number");
  return *value;
}

bool Specification::get(const char* option, bool otherwise) {
  const std::string* text = find(option);
  if (!text) return otherwise;
  if (*text != "true" && *text != "false") refuse(option, "true or false");
  return *text == "true";
}

std::vector<Index> Specification::get(const char* option, const std::vector<Index>& otherwise) {
  const std::string* text = find(option);
  if (!text) return otherwise;
  std::vector<Index> values;
  for (const std::string& part : split(*text, '/')) {
    const auto value = number<Index>(part);
    if (!value) refuse(option, "whole numbers, as 1/2/4");
    values.push_back(*value);
  }
  return values;
}

std::string Specification::get(const char* option, const std::string& otherwise) {
  const std::string* text = find(option);
  return text ? *text : otherwise;
}

void Specification::check_all_known() const {
  for (const auto& [option, value] : given_)
    if (std::find(known_.begin(), known_.end(), option) == known_.end())
      throw ArgumentError(
          fmt::format("{}: {} has no option \"{}\"; it has {}", flag_, name_, option,
                      known_.empty() ? "none" : fmt::format("{}", fmt::join(known_, ", "))));
}

void Specification::refuse_name(const char* kind, const std::vector<std::string>& names) const {
  throw ArgumentError(fmt::format("{}: there is no {} \"{}\"; there are {}", flag_, kind, name_,
                                  fmt::join(names, ", ")));
}

void Specification::refuse(const char* option, const std::string& expected) const {
  throw ArgumentError(fmt::format("{}: {} of {}: expected {}, got \"{}\"", flag_, option, name_,
                                  expected, given_.at(option)));
}

}  // namespace lm
