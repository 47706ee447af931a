#include <autograd/tensor/error.hpp>
#include <nlohmann/json.hpp>
#include <nn/io/atomic_file.hpp>
#include <nn/training/run_log.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string_view>

namespace unroll::nn {
namespace {

using nlohmann::ordered_json;

constexpr const char* kVersionKey = "unroll_run_log";
constexpr int kVersion = 1;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

ordered_json to_json(const RunValue& value) {
  const double* number = std::get_if<double>(&value);
  if (number && std::isnan(*number)) return "NaN";
  if (number && std::isinf(*number)) return *number > 0 ? "Infinity" : "-Infinity";
  return std::visit([](const auto& held) { return ordered_json(held); }, value);
}

RunValue from_json(const ordered_json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) throw FormatError("expected a number, a string, true or false");
  const auto text = value.get<std::string>();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return kInfinity;
  if (text == "-Infinity") return -kInfinity;
  return text;
}

void add_values(ordered_json& object, const RunValues& values) {
  for (const auto& [name, value] : values) {
    if (name.empty() || object.contains(name))
      throw ArgumentError("run log: the name \"" + name + "\" is empty, reserved or given twice");
    object[name] = to_json(value);
  }
}

std::string line_of(const ordered_json& object) {
  try {
    return object.dump() + '\n';
  } catch (const ordered_json::exception&) {
    throw ArgumentError("run log: names and text must be UTF-8");
  }
}

std::string header_line(const RunValues& settings) {
  ordered_json values = ordered_json::object();
  add_values(values, settings);
  ordered_json object;
  object[kVersionKey] = kVersion;
  object["settings"] = std::move(values);
  return line_of(object);
}

std::string record_line(std::int64_t step, const RunValues& values) {
  ordered_json object;
  object["step"] = step;
  add_values(object, values);
  return line_of(object);
}

RunValues values_of(const ordered_json& object) {
  RunValues values;
  for (const auto& [name, value] : object.items()) values.emplace_back(name, from_json(value));
  return values;
}

/// Throws FormatError or an exception of the JSON library.
void read_line(std::string_view line, bool first, RunLogContent& content) {
  ordered_json object = ordered_json::parse(line);
  if (!object.is_object()) throw FormatError("expected a JSON object");
  if (first) {
    const auto version = object.find(kVersionKey);
    if (version == object.end() || !version->is_number_integer())
      throw FormatError("not a run log, whose first line begins with {\"unroll_run_log\":1");
    if (version->get<int>() > kVersion)
      throw FormatError("written in version " + version->dump() + " of the format, expected " +
                        std::to_string(kVersion));
    content.settings = values_of(object.at("settings"));
    return;
  }
  const auto step = object.at("step").get<std::int64_t>();
  object.erase("step");
  content.records.push_back({step, values_of(object)});
}

/// The file with the records up to a step, for a run that writes the later ones again.
void keep_until(const std::string& path, std::int64_t step) {
  const RunLogContent content = read_run_log(path);
  std::string text = header_line(content.settings);
  for (const RunRecord& record : content.records)
    if (record.step <= step) text += record_line(record.step, record.values);
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

/// What a process leaves that is killed before the first line is complete.
bool is_torn_header(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::string begin = std::string("{\"") + kVersionKey;
  return text.find('\n') == std::string::npos && begin.starts_with(text.substr(0, begin.size()));
}

/// Makes the file such that records can be appended.
AppendFile::Open prepare(const std::string& path, const RunLogOptions& options) {
  if (options.resume_after && std::filesystem::exists(path)) {
    if (!is_torn_header(path)) {
      keep_until(path, *options.resume_after);
      return AppendFile::Open::existing;
    }
    std::filesystem::remove(path);
  }
  if (std::filesystem::exists(path))
    throw Error("run log: \"" + path + "\" exists; resume it or write to another file");
  return AppendFile::Open::create;
}

}  // namespace

RunLog::RunLog(const std::string& path, const RunLogOptions& options)
    : file_(path, prepare(path, options)) {
  if (file_.size() == 0) file_.append(header_line(options.settings));
}

void RunLog::write(std::int64_t step, const RunValues& values) {
  file_.append(record_line(step, values));
}

RunLogContent read_run_log(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw FormatError("run log: \"" + path + "\" cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  RunLogContent content;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const bool whole = end < text.size();
    ++number;
    try {
      read_line(std::string_view(text).substr(begin, end - begin), number == 1, content);
    } catch (const std::exception& error) {
      if (whole || number == 1)
        throw FormatError("run log: \"" + path + "\", line " + std::to_string(number) + ": " +
                          error.what());
      content.torn = true;
    }
    begin = end + 1;
  }
  if (number == 0) throw FormatError("run log: \"" + path + "\" is empty");
  return content;
}

}  // namespace unroll::nn
